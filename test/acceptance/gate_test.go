//go:build lab

package acceptance

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// resource is what kubectl calls the sample's database.
func (s sample) resource() string {
	if s.section == "server" {
		return "singlestore/" + s.name
	}
	return "perconaxtradb/" + s.name
}

var _ = Describe("The gate of a database under an operation", func() {
	for _, s := range []sample{cluster, percona} {
		It("keeps edits and deletion out of "+s.title+", and lets metadata, status and finalizers through", func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name)
			a.provision(ctx, db)
			r := s.restart(a, "the-holder")
			a.stopsAtFirstPod(ctx, s, r)

			out := a.kubectl(ctx, "", "patch", s.resource(), "--type=merge", "-p", `{"spec":{"deletionPolicy":"Halt"}}`)
			Expect(out.Failed()).To(BeTrue(), "an edit of a database under an operation was admitted")
			Expect(out.String()).To(And(ContainSubstring("the-holder"), ContainSubstring("delete"), ContainSubstring("cancel")))
			out = a.kubectl(ctx, "", "delete", s.resource(), "--wait=false")
			Expect(out.Failed()).To(BeTrue(), "a database under an operation was deleted")
			Expect(out.String()).To(And(ContainSubstring("cannot be deleted"), ContainSubstring("the-holder")))
			dry := a.kubectl(ctx, "", "patch", s.resource(), "--type=merge", "--dry-run=server", "-p", `{"spec":{"deletionPolicy":"Halt"}}`)
			Expect(dry.Failed()).To(BeTrue(), "a dry run is answered in another way than the real thing")

			a.mustKubectl(ctx, "", "label", s.resource(), "team=payments")
			a.mustKubectl(ctx, "", "annotate", s.resource(), "example.org/note=still editable")
			a.mustKubectl(ctx, "", "patch", s.resource(), "--subresource=status", "--type=merge", "-p",
				`{"status":{"authSecret":{"lastUpdateTimestamp":"2026-01-01T00:00:00Z"}}}`)
			a.mustKubectl(ctx, "", "patch", s.resource(), "--type=json", "-p",
				`[{"op":"add","path":"/metadata/finalizers/-","value":"example.org/mine"}]`)
			a.mustKubectl(ctx, "", "patch", s.resource(), "--type=json", "-p", `[{"op":"remove","path":"/metadata/finalizers/1"}]`)

			a.faults(ctx)
			a.ends(ctx, r, opsv1.PhaseSuccessful)
			a.mustKubectl(ctx, "", "patch", s.resource(), "--type=merge", "-p", `{"spec":{"deletionPolicy":"WipeOut"}}`)
		})

		It("lets a namespace with "+s.title+" in it go at any moment", func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			a.stopsAtFirstPod(ctx, s, s.restart(a, "restart"))
			a.create(ctx, s.restart(a, "queued"))
			a.Record.Seal()
			Expect(a.Delete(ctx, patience)).To(Succeed())
		})
	}

	It("is open again whichever way the operation ends", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		for _, change := range []string{"[mysqld]\nwait_timeout = 60\n", "[mysqld]\nlab_refuse_to_start = 1\n"} {
			r := percona.reconfigure(a, fmt.Sprintf("change-%d", len(change)), changes{"perconaxtradb": inline("a.cnf", change)}, retries(0))
			a.create(ctx, r)
			Eventually(ctx, func() bool {
				now, ok := a.Record.See(r).(framework.Request)
				return ok && framework.Finished(now)
			}).Should(BeTrue())
			a.now(ctx)
			a.isFree(percona)
			Expect(edit(ctx, a, db, func(d framework.Database) { withPolicy(d, kubedbv1.DeletionWipeOut) })).To(Succeed())
			a.becomes(ctx, db, kubedbv1.PhaseReady)
		}
	})
})

var _ = Describe("A pause that a person has set", func() {
	It("freezes the spec, stops provisioning, makes requests wait, and is theirs to end", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		since := a.now(ctx)
		a.pauseByHand(ctx, db)

		out := a.kubectl(ctx, "", "patch", "perconaxtradb/px", "--type=merge", "-p", `{"spec":{"deletionPolicy":"Halt"}}`)
		Expect(out.Failed()).To(BeTrue(), "an edit of a paused database was admitted")
		Expect(out.String()).To(And(ContainSubstring("paused"), ContainSubstring("Maintenance"), Not(ContainSubstring("OpsRequest"))))

		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "px"}}
		Expect(a.Client.Delete(ctx, service)).To(Succeed())
		r := percona.restart(a, "waits", always)
		a.create(ctx, r)
		a.waits(ctx, r, opsv1.ReasonDatabasePaused)
		Consistently(ctx, func() bool { return a.has(&corev1.Service{}, "px")() || len(a.Record.Story().Restarted(since)) > 0 },
			3*time.Second).Should(BeFalse(), "something was done to a database that a person has paused")
		Expect(a.says(db, kubedbv1.ConditionPaused)()).To(HaveField("Reason", "Maintenance"))

		a.resumeByHand(ctx, db)
		a.ends(ctx, r, opsv1.PhaseSuccessful)
		Eventually(ctx, a.has(&corev1.Service{}, "px")).Should(BeTrue())
		Expect(a.restarted(ctx, since)).To(Equal(percona.pods()))
	})

	It("that comes in the middle of an operation is respected and never removed", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		since := a.now(ctx)
		a.faults(ctx, slow)
		r := percona.restart(a, "restart")
		a.create(ctx, r)
		Eventually(ctx, func() []string { return a.Record.Story().Restarted(since) }).Should(HaveLen(1))
		a.pauseByHand(ctx, db)
		a.faults(ctx)
		Consistently(ctx, func() string { return a.says(db, kubedbv1.ConditionPaused)().Reason }, 4*time.Second).Should(Equal("Maintenance"))
		Expect(len(a.restarted(ctx, since))).To(BeNumerically("<", 3), "the operation went on although a person paused the database")
		Expect(a.says(r, "RestartPods")()).To(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", opsv1.ReasonDatabasePaused)), "it does not say what it waits for")

		a.resumeByHand(ctx, db)
		a.ends(ctx, r, opsv1.PhaseSuccessful)
		Expect(a.restarted(ctx, since)).To(Equal(percona.pods()))
	})
})

// pauseByHand writes the condition as a person would, in place of whatever pause there is.
func (a *arena) pauseByHand(ctx SpecContext, db framework.Database) {
	GinkgoHelper()
	Eventually(ctx, func() error {
		var now kubedbv1.PerconaXtraDB
		a.reads(ctx, db.GetName(), &now)
		meta.SetStatusCondition(&now.Status.Conditions, metav1.Condition{
			Type: kubedbv1.ConditionPaused, Status: metav1.ConditionTrue, Reason: "Maintenance",
			Message: "the storage team works on it", LastTransitionTime: metav1.Now(),
		})
		return a.Client.Status().Update(ctx, &now)
	}).Should(Succeed())
	Eventually(ctx, func() string { return a.says(db, kubedbv1.ConditionPaused)().Reason }).Should(Equal("Maintenance"))
}

// resumeByHand removes the condition as a person would.
func (a *arena) resumeByHand(ctx SpecContext, db framework.Database) {
	GinkgoHelper()
	Eventually(ctx, func() error {
		var now kubedbv1.PerconaXtraDB
		a.reads(ctx, db.GetName(), &now)
		meta.RemoveStatusCondition(&now.Status.Conditions, kubedbv1.ConditionPaused)
		return a.Client.Status().Update(ctx, &now)
	}).Should(Succeed())
}
