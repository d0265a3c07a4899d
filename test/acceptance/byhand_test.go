//go:build lab

package acceptance

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// deleteByHand deletes a pod as a person would, and returns when another has its name.
func (a *arena) deleteByHand(ctx context.Context, name string) {
	GinkgoHelper()
	pod := a.pod(name)
	a.Record.ByHand(pod)
	Expect(a.Client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID})).To(Succeed())
	Eventually(ctx, func() bool {
		now, ok := framework.Latest[*corev1.Pod](a.Record, name)
		return ok && now.UID != pod.UID
	}).Should(BeTrue(), "a successor of "+name)
}

// stopsAtFirstPod makes the request while new pods do not become Ready, and returns when its first pod is down.
func (a *arena) stopsAtFirstPod(ctx context.Context, s sample, r framework.Request) {
	GinkgoHelper()
	a.faults(ctx, held)
	since := a.now(ctx)
	a.create(ctx, r)
	Eventually(ctx, func() []string { return a.Record.Story().Restarted(since) }).ShouldNot(BeEmpty())
	Eventually(ctx, a.holds(s, r)).Should(BeTrue())
}

// holds tells whether the request pauses its database.
func (a *arena) holds(s sample, r framework.Request) func() bool {
	return func() bool {
		db, ok := a.Record.See(s.database(a.Name)).(framework.Database)
		return ok && framework.HeldBy(db, r.GetUID())
	}
}

// isFree expects that nobody pauses the database.
func (a *arena) isFree(s sample) {
	GinkgoHelper()
	Expect(a.says(s.database(a.Name), kubedbv1.ConditionPaused)()).To(BeZero(), "the database is paused")
}

// waits expects that the request does not run, and says that reason.
func (a *arena) waits(ctx context.Context, r framework.Request, reason string) {
	GinkgoHelper()
	Eventually(ctx, a.says(r, opsv1.ConditionSuccessful)).Should(And(
		HaveField("Status", metav1.ConditionUnknown), HaveField("Reason", reason), HaveField("Message", Not(BeEmpty()))))
}

// lastOperation is what the database says about the last operation.
func (a *arena) lastOperation(s sample) kubedbv1.LastOperation {
	GinkgoHelper()
	last := see(a, s.database(a.Name)).DatabaseStatus().LastOperation
	Expect(last).NotTo(BeNil(), "status.lastOperation")
	return *last
}

// breakPod makes this one pod, and not its successor, not Ready.
func (a *arena) breakPod(ctx context.Context, name string) {
	GinkgoHelper()
	pod := a.pod(name)
	a.faults(ctx, fmt.Sprintf("{pod: %q, uid: %q, neverReady: true}", name, pod.UID))
	Eventually(ctx, func() bool {
		return framework.Ready(a.pod(name))
	}).Should(BeFalse(), name+" is Ready")
}

// fraction is progress as the API has it.
func fraction(done, all int) string { return fmt.Sprintf("%d/%d", done, all) }

// pod is a pod as it was recorded last.
func (a *arena) pod(name string) *corev1.Pod {
	GinkgoHelper()
	p, ok := framework.Latest[*corev1.Pod](a.Record, name)
	Expect(ok).To(BeTrue(), "there is no pod "+name)
	return p
}

var _ = Describe("A workload to which somebody has added what is not the operator's", func() {
	for _, s := range []sample{percona, standalone} {
		It("is restarted as it is, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			for _, g := range s.groups {
				a.mustKubectl(ctx, "", "set", "env", "statefulset/"+g.workload, "EXTRA=1")
			}
			since := a.now(ctx)
			a.succeeds(ctx, s.restart(a, "restart"))
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			for _, name := range s.pods() {
				Expect(a.pod(name).Spec.Containers[0].Env).To(ContainElement(corev1.EnvVar{Name: "EXTRA", Value: "1"}), name)
			}
			a.isFree(s)
		})
	}
})
