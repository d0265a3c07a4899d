//go:build lab

package acceptance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("An operation that is interfered with", func() {
	It("counts a pod that somebody deletes in the middle as restarted", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		since := a.now(ctx)
		r := percona.restart(a, "restart")
		a.stopsAtFirstPod(ctx, percona, r)
		a.deleteByHand(ctx, "px-0")
		a.faults(ctx)
		a.ends(ctx, r, opsv1.PhaseSuccessful)
		Expect(a.restarted(ctx, since)).To(Equal([]string{"px-2", "px-1"}), "px-0 came back with the new template when it was deleted by hand")
		a.becomes(ctx, percona.database(a.Name), kubedbv1.PhaseReady)
	})

	It("applies again a workload that somebody deletes in the middle, and restarts no pod twice", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		since := a.now(ctx)
		r := percona.restart(a, "restart")
		a.stopsAtFirstPod(ctx, percona, r)
		set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "px"}}
		Expect(a.Client.Delete(ctx, set, client.PropagationPolicy(metav1.DeletePropagationOrphan))).To(Succeed())
		a.faults(ctx)
		a.ends(ctx, r, opsv1.PhaseSuccessful)
		Expect(a.restarted(ctx, since)).To(Equal(percona.pods()))
	})

	It("puts a pod template back that somebody edits in the middle", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		since := a.now(ctx)
		r, old := percona.restart(a, "restart"), a.pod("px-2").UID
		a.stopsAtFirstPod(ctx, percona, r)
		// One that is made from the template of somebody else would have to restart once more.
		Eventually(ctx, func() bool {
			pod, there := framework.Latest[*corev1.Pod](a.Record, "px-2")
			return there && pod.UID != old
		}).Should(BeTrue(), "px-2 is made again from the operation's template")
		image := a.pod("px-0").Spec.Containers[0].Image
		a.mustKubectl(ctx, "", "set", "image", "statefulset/px", "perconaxtradb=example.org/other:1")
		Eventually(ctx, func() string {
			set, _ := framework.Latest[*appsv1.StatefulSet](a.Record, "px")
			return set.Spec.Template.Spec.Containers[0].Image
		}).Should(Equal(image), "the template of a workload under an operation")
		a.faults(ctx)
		a.ends(ctx, r, opsv1.PhaseSuccessful)
		for _, pod := range percona.pods() {
			Expect(a.pod(pod).Spec.Containers[0].Image).To(Equal(image), pod)
		}
		Expect(a.restarted(ctx, since)).To(Equal(percona.pods()), "each pod restarts once, whatever was done to the template")
	})

	It("says which budget of the user's is in the way, and goes on when it is gone", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		since := a.now(ctx)
		budget := &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "hands-off"},
			Spec: policyv1.PodDisruptionBudgetSpec{
				MaxUnavailable: new(intstr.FromInt32(0)),
				Selector:       &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/instance": "px"}},
			},
		}
		a.create(ctx, budget)
		r := percona.restart(a, "restart")
		a.create(ctx, r)
		Eventually(ctx, a.says(r, "RestartPods")).Should(And(HaveField("Reason", "EvictionBlocked"), HaveField("Message", ContainSubstring("hands-off"))))
		Consistently(ctx, func() int { return len(a.Record.Story().Restarted(since)) }, 2*time.Second).Should(BeZero())
		Expect(a.Client.Delete(ctx, budget)).To(Succeed())
		a.ends(ctx, r, opsv1.PhaseSuccessful)
		Expect(a.restarted(ctx, since)).To(Equal(percona.pods()))
	})

	It("can be cancelled while a budget is in the way, and has done nothing", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		since := a.now(ctx)
		a.create(ctx, &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "hands-off"},
			Spec: policyv1.PodDisruptionBudgetSpec{
				MaxUnavailable: new(intstr.FromInt32(0)),
				Selector:       &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/instance": "px"}},
			},
		})
		r := percona.reconfigure(a, "change", changes{"perconaxtradb": inline("a.cnf", "wait_timeout = 60\n")})
		a.create(ctx, r)
		Eventually(ctx, a.says(r, "RestartPods")).Should(HaveField("Reason", "EvictionBlocked"))
		Expect(a.Client.Delete(ctx, r)).To(Succeed())
		Eventually(ctx, a.has(r, r.GetName())).Should(BeFalse())
		Expect(a.restarted(ctx, since)).To(BeEmpty())
		a.isFree(percona)
		Expect(configuration(see(a, db), "perconaxtradb")).To(Equal(kubedbv1.ConfigurationSpec{}))
		Eventually(ctx, a.says(db, kubedbv1.ConditionPodsUpToDate)).Should(HaveField("Status", metav1.ConditionTrue))
	})

	It("ends clearly when the Secret it names disappears while it waits", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		secret := a.secret("px-new", map[string]string{"a.cnf": "[mysqld]\nwait_timeout = 60\n"})
		a.create(ctx, secret)
		a.provision(ctx, db)
		since := a.now(ctx)
		a.breakPod(ctx, "px-0")
		a.becomes(ctx, db, kubedbv1.PhaseCritical)
		r := percona.reconfigure(a, "change", changes{"perconaxtradb": fromSecret("px-new")})
		a.create(ctx, r)
		a.waits(ctx, r, opsv1.ReasonDatabaseNotReady)
		Expect(a.Client.Delete(ctx, secret)).To(Succeed())
		a.faults(ctx)
		ended := a.ends(ctx, r, opsv1.PhaseFailed)
		Expect(condition(ended, opsv1.ConditionFailed).Message).To(ContainSubstring("px-new"))
		a.isFree(percona)
		Expect(a.restarted(ctx, since)).To(BeEmpty())
		a.becomes(ctx, db, kubedbv1.PhaseReady)
		a.succeeds(ctx, percona.restart(a, "next"))
	})

	It("ends clearly when the catalog has lost its version", func(ctx SpecContext) {
		a := newArena(ctx)
		db := withVersion(percona.database(a.Name), a.fullVersion(ctx, percona))
		a.provision(ctx, db)
		since := a.now(ctx)
		version := catalogEntry(a.Name)
		Expect(a.Client.Delete(ctx, version)).To(Succeed())
		r := a.fails(ctx, percona.restart(a, "restart"), "VersionNotFound")
		Expect(condition(r, opsv1.ConditionFailed).Message).To(ContainSubstring(a.Name))
		a.isFree(percona)
		Expect(a.restarted(ctx, since)).To(BeEmpty())
		Eventually(ctx, a.says(db, kubedbv1.ConditionStalled)).Should(And(
			HaveField("Status", metav1.ConditionTrue), HaveField("Message", ContainSubstring(a.Name))))
		a.becomes(ctx, db, kubedbv1.PhaseReady)
	})

	It("ends as DatabaseGone when the database is deleted under it, and holds nothing up", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		r := percona.restart(a, "restart")
		a.stopsAtFirstPod(ctx, percona, r)
		// Nobody may delete it now but garbage collection and the namespace controller.
		collector, err := lab.As("system:serviceaccount:kube-system:generic-garbage-collector", "system:masters")
		Expect(err).NotTo(HaveOccurred())
		Expect(collector.Delete(ctx, db)).To(Succeed())
		a.isGone(ctx, percona)
		a.now(ctx)
		var reasons []string
		for _, e := range a.Record.Story().Events {
			if now, ok := e.Object.(framework.Request); ok && framework.Finished(now) {
				reasons = append(reasons, condition(now, opsv1.ConditionFailed).Reason)
			}
		}
		Expect(reasons).To(ContainElement(opsv1.ReasonDatabaseGone))
		Eventually(ctx, a.has(r, r.GetName())).Should(BeFalse(), "the request goes with its database")
	})
})
