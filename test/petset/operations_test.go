//go:build lab

package petset

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("An operation on PetSets", func() {
	for _, s := range samples {
		Context("of "+s.title, func() {
			It("restarts every pod exactly once", func(ctx SpecContext) {
				a := newArena(ctx)
				a.provision(ctx, s)
				since := a.now(ctx)
				before := a.sets(ctx, 0)
				a.ends(ctx, s.request(a, "restart", opsv1.Restart), opsv1.PhaseSuccessful)
				Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
				Expect(a.sets(ctx, 0)).To(Equal(before))
				a.isUpToDate(ctx, s)
			})

			It("reconfigures, undoes a bad configuration and takes a corrected one", func(ctx SpecContext) {
				a := newArena(ctx)
				db := a.provision(ctx, s)
				since := a.now(ctx)
				a.ends(ctx, s.setting(a, "good", "max_connections = 211"), opsv1.PhaseSuccessful)
				Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
				a.runs(ctx, s, "max_connections", "211")

				since = a.now(ctx)
				bad := a.ends(ctx, s.setting(a, "bad", "lab_refuse_to_start = 1"), opsv1.PhaseFailed)
				failed := framework.Condition(bad.RequestStatus().Conditions, opsv1.ConditionFailed)
				Expect(failed.Message).To(ContainSubstring("lab_refuse_to_start"), "the pod's own message")
				first := s.pods()[0]
				Expect(a.restarted(ctx, since)).To(Equal([]string{first, first}), "once, and once more to undo it")
				a.becomes(ctx, db, kubedbv1.PhaseReady)
				a.runs(ctx, s, "lab_refuse_to_start", "")
				a.runs(ctx, s, "max_connections", "211")
				a.isResumed(ctx, db)

				since = a.now(ctx)
				a.ends(ctx, s.setting(a, "corrected", "max_connections = 212"), opsv1.PhaseSuccessful)
				Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
				a.runs(ctx, s, "max_connections", "212")
				a.isUpToDate(ctx, s)
			})

			It("undoes a configuration with which the first pod runs and never becomes Ready", func(ctx SpecContext) {
				a := newArena(ctx)
				db := a.provision(ctx, s)
				since, first := a.now(ctx), s.pods()[0]
				before := a.sets(ctx, 0)
				bad := s.setting(a, "bad", "lab_never_ready = 1")
				bad.RequestSpec().MaxRetries = new(int32(0))
				bad.RequestSpec().Timeout = &metav1.Duration{Duration: 15 * time.Second} // of each step, those of the undo too
				failed := framework.Condition(a.ends(ctx, bad, opsv1.PhaseFailed).RequestStatus().Conditions, opsv1.ConditionFailed)
				Expect(failed.Reason).To(Equal(opsv1.ReasonTimeout))
				Expect(failed.Message).To(ContainSubstring("restarting "+first), "what it waited for")
				a.becomes(ctx, db, kubedbv1.PhaseReady)
				Expect(a.restarted(ctx, since)).To(Equal([]string{first, first}), "once, and once more to undo it")
				a.runs(ctx, s, "lab_never_ready", "")
				Expect(a.sets(ctx, 0)).To(Equal(before), "a PetSet was made again")
				a.isUpToDate(ctx, s)
			})

			It("is undone when its request is deleted half way", func(ctx SpecContext) {
				a := newArena(ctx)
				db := a.provision(ctx, s)
				Expect(a.Faults(ctx, `{pod: "*", readyAfter: 1h}`)).To(Succeed())
				since := a.now(ctx)
				r := s.setting(a, "cancelled", "back_log = 77")
				first := s.pods()[0]
				before, _ := framework.Latest[*corev1.Pod](a.Record, first)
				a.create(ctx, r)
				Eventually(ctx, func() bool { // the pod is back, as the request wants it
					pod, ok := framework.Latest[*corev1.Pod](a.Record, first)
					return ok && pod.UID != before.UID
				}).Should(BeTrue())
				Expect(a.Client.Delete(ctx, r)).To(Succeed())
				Expect(a.Faults(ctx)).To(Succeed())
				Eventually(ctx, func() client.Object { return a.Record.See(r) }).Should(BeNil(), "the request is held")
				a.becomes(ctx, db, kubedbv1.PhaseReady)
				Expect(a.restarted(ctx, since)).To(Equal([]string{first, first}), "once, and once more to undo it")
				a.runs(ctx, s, "back_log", "")
				a.isUpToDate(ctx, s)
			})
		})
	}
})

// runs expects that every pod mounts files by which the server sets the key to the value; empty for not at all.
func (a *arena) runs(ctx context.Context, s sample, key, value string) {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	for _, name := range s.pods() {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue(), "there is no pod "+name)
		files := map[string][]byte{}
		for _, v := range pod.Spec.Volumes {
			if v.Name == "custom-config" {
				secret, ok := framework.Latest[*corev1.Secret](a.Record, v.Secret.SecretName)
				Expect(ok).To(BeTrue(), "there is no Secret "+v.Secret.SecretName)
				files = secret.Data
			}
		}
		got, _ := framework.Setting(files, s.section, key)
		Expect(got).To(Equal(value), "%s of %s", key, name)
	}
}

// isUpToDate expects that every pod carries its set's revision, and that the database says so and is resumed.
func (a *arena) isUpToDate(ctx context.Context, s sample) {
	GinkgoHelper()
	db := s.database(a.Name)
	a.isResumed(ctx, db)
	Eventually(ctx, a.says(db, kubedbv1.ConditionPodsUpToDate)).Should(HaveField("Status", metav1.ConditionTrue))
	for _, g := range s.groups {
		set := a.set(g.workload)
		Expect(set.Status.UpdatedReplicas).To(BeEquivalentTo(g.replicas))
		for _, pod := range framework.All[*corev1.Pod](a.Record) {
			if framework.WorkloadOf(pod.Name) == g.workload {
				Expect(pod.Labels).To(HaveKeyWithValue(appsv1.StatefulSetRevisionLabel, set.Status.UpdateRevision))
				Expect(metav1.IsControlledBy(pod, set)).To(BeTrue(), pod.Name)
			}
		}
	}
}

func (a *arena) isResumed(ctx context.Context, db framework.Database) {
	GinkgoHelper()
	Eventually(ctx, a.says(db, kubedbv1.ConditionPaused)).ShouldNot(HaveField("Status", metav1.ConditionTrue))
}
