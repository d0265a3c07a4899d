//go:build lab

package acceptance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

var _ = Describe("Reconfigure, and which pods restart", func() {
	for _, s := range samples {
		It("restarts only the group of "+s.title+" whose configuration changes, with restart auto", func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			since := a.now(ctx)
			for _, g := range s.groups {
				a.succeeds(ctx, s.reconfigure(a, "change-"+g.name, changes{g.name: inline("a.cnf", "wait_timeout = 60\n")}))
				Expect(a.restarted(ctx, since)).To(Equal(s.pods(g.name)))
				since = a.now(ctx)
			}
			again := a.succeeds(ctx, s.reconfigure(a, "again", changes{s.last().name: inline("a.cnf", "wait-timeout = 60\n")}))
			Expect(a.restarted(ctx, since)).To(HaveLen(len(s.pods(s.last().name))), "another spelling is another file")
			since = a.now(ctx)
			again = a.succeeds(ctx, s.reconfigure(a, "the-same", changes{s.last().name: inline("a.cnf", "wait-timeout = 60\n")}))
			Expect(a.restarted(ctx, since)).To(BeEmpty(), "nothing changed: "+words(again.RequestStatus().Conditions))
		})

		It("restarts the group of "+s.title+" although nothing changes, with restart true", func(ctx SpecContext) {
			a := newArena(ctx)
			g := s.last().name
			a.provision(ctx, configured(s.database(a.Name), g, kubedbv1.ConfigurationSpec{Inline: map[string]string{"a.cnf": dialect(s, "[%]\nwait_timeout = 60\n")}}))
			since := a.now(ctx)
			change := inline("a.cnf", "wait_timeout = 60\n")
			change.Restart = opsv1.RestartTrue
			a.succeeds(ctx, s.reconfigure(a, "change", changes{g: change}))
			Expect(a.restarted(ctx, since)).To(Equal(s.pods(g)))
		})

		It("writes the configuration of "+s.title+" and leaves the pods alone, with restart false", func(ctx SpecContext) {
			a := newArena(ctx)
			g, db := s.last().name, s.database(a.Name)
			a.provision(ctx, db)
			since := a.now(ctx)
			change := inline("a.cnf", "wait_timeout = 60\n")
			change.Restart = opsv1.RestartFalse
			a.succeeds(ctx, s.reconfigure(a, "change", changes{g: change}))
			Eventually(ctx, a.says(db, kubedbv1.ConditionPodsUpToDate)).Should(HaveField("Status", metav1.ConditionFalse))
			Consistently(ctx, func() int { return len(a.Record.Story().Restarted(since)) }, time.Second).Should(BeZero())
			Expect(configuration(see(a, db), g).Inline).To(HaveKeyWithValue("a.cnf", ContainSubstring("wait_timeout = 60")))
			a.runs(ctx, s, g, "wait_timeout", "")
			a.deleteByHand(ctx, s.pods(g)[0])
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			a.runs(ctx, s, g, "wait_timeout", "")

			a.succeeds(ctx, s.restart(a, "apply-it"))
			a.runs(ctx, s, g, "wait_timeout", "60")
			Eventually(ctx, a.says(db, kubedbv1.ConditionPodsUpToDate)).Should(HaveField("Status", metav1.ConditionTrue))
		})
	}

	It("restarts leaves before aggregators when both change", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, cluster.database(a.Name))
		since := a.now(ctx)
		a.succeeds(ctx, cluster.reconfigure(a, "both", changes{
			"aggregator": inline("a.cnf", "max_connections = 300\n"), "leaf": inline("a.cnf", "max_connections = 400\n"),
		}))
		Expect(a.restarted(ctx, since)).To(Equal(cluster.pods()))
		a.runs(ctx, cluster, "aggregator", "max_connections", "300")
		a.runs(ctx, cluster, "leaf", "max_connections", "400")
	})

	It("pins what the Secret said when it began: a Secret that is edited meanwhile changes nothing, and is never written", func(ctx SpecContext) {
		a := newArena(ctx)
		secret := a.secret("px-new", map[string]string{"a.cnf": "[mysqld]\nwait_timeout = 60\n"})
		a.create(ctx, secret)
		a.provision(ctx, percona.database(a.Name))
		r := percona.reconfigure(a, "change", changes{"perconaxtradb": fromSecret("px-new")})
		a.stopsAtFirstPod(ctx, percona, r)
		secret.StringData = map[string]string{"a.cnf": "[mysqld]\nlab_refuse_to_start = 1\n"}
		Expect(a.Client.Update(ctx, secret)).To(Succeed())
		version := secret.ResourceVersion
		a.faults(ctx)
		a.ends(ctx, r, opsv1.PhaseSuccessful)
		a.runs(ctx, percona, "perconaxtradb", "wait_timeout", "60")
		Expect(see(a, secret).ResourceVersion).To(Equal(version), "the user's Secret was written")
	})

	It("is what a direct edit of the configuration waits for", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		since := a.now(ctx)
		out := a.mustKubectl(ctx, "", "patch", "perconaxtradb/px", "--type=merge", "-p",
			`{"spec":{"configuration":{"inline":{"a.cnf":"[mysqld]\nwait_timeout = 60\n"}}}}`)
		Expect(out).To(And(ContainSubstring("Warning"), ContainSubstring("restart")))
		Eventually(ctx, a.says(db, kubedbv1.ConditionPodsUpToDate)).Should(HaveField("Status", metav1.ConditionFalse))
		Expect(a.restarted(ctx, since)).To(BeEmpty())
		a.succeeds(ctx, percona.restart(a, "apply-it"))
		a.runs(ctx, percona, "perconaxtradb", "wait_timeout", "60")
	})

	It("collects the rendered Secrets that nobody names any more", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, standalone.database(a.Name))
		for _, value := range []string{"10", "20", "30", "40"} {
			a.succeeds(ctx, standalone.reconfigure(a, "to-"+value, changes{"node": inline("a.cnf", "wait_timeout = "+value+"\n")}))
		}
		a.now(ctx)
		rendered := 0
		for _, s := range allSecrets(a) {
			if s.Type == corev1.SecretTypeOpaque && s.Immutable != nil && *s.Immutable {
				rendered++
			}
		}
		Expect(rendered).To(BeNumerically("<=", 3), "configurations of long ago are kept")
		a.runs(ctx, standalone, "node", "wait_timeout", "40")
	})
})
