//go:build lab

package petset

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("A database of PetSets", func() {
	for _, s := range samples {
		It("is provisioned, halted, brought back and wiped out: "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := a.provision(ctx, s)
			a.hasSets(ctx, s, db)
			Expect(a.restarted(ctx, 0)).To(BeEmpty())
			before := a.sets(ctx, 0)
			a.edit(ctx, db, halted(true))
			a.becomes(ctx, db, kubedbv1.PhaseHalted)
			a.losesPods(ctx, s)
			Expect(framework.All[*corev1.PersistentVolumeClaim](a.Record)).To(HaveLen(len(s.pods())))
			since := a.now(ctx)
			a.edit(ctx, db, halted(false))
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			for name, uids := range a.sets(ctx, since) {
				Expect(uids).NotTo(ContainElement(BeElementOf(before[name])), "PetSet %s was not deleted", name)
			}
			a.edit(ctx, db, func(d framework.Database) { withPolicy(d, kubedbv1.DeletionWipeOut) })
			Expect(a.Client.Delete(ctx, db)).To(Succeed())
			a.losesPods(ctx, s)
			Eventually(ctx, func() []*corev1.PersistentVolumeClaim {
				return framework.All[*corev1.PersistentVolumeClaim](a.Record)
			}).Should(BeEmpty(), "claims")
		})
	}

	It("is not made beside a StatefulSet, and moves when it is halted", func(ctx SpecContext) {
		a := newArena(ctx)
		left := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "px"}}
		labels := map[string]string{"left": "over"}
		left.Spec.Selector, left.Spec.ServiceName, left.Spec.Replicas = &metav1.LabelSelector{MatchLabels: labels}, "px", new(int32(0))
		left.Spec.Template.Labels = labels
		left.Spec.Template.Spec.Containers = []corev1.Container{{Name: "db", Image: "db"}}
		a.create(ctx, left)
		db := percona.database(a.Name)
		a.create(ctx, db)
		Eventually(ctx, a.says(db, kubedbv1.ConditionStalled)).Should(And(
			HaveField("Reason", "OtherWorkloadKind"), HaveField("Message", ContainSubstring("StatefulSet px runs these pods"))))
		Expect(framework.All[*petsetv1.PetSet](a.Record)).To(BeEmpty())

		Eventually(ctx, func() error {
			if err := a.Client.Get(ctx, client.ObjectKeyFromObject(left), left); err != nil {
				return err
			}
			left.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(db, kubedbv1.GroupVersion.WithKind("PerconaXtraDB"))}
			return a.Client.Update(ctx, left)
		}).Should(Succeed())
		a.edit(ctx, db, halted(true))
		a.becomes(ctx, db, kubedbv1.PhaseHalted)
		Eventually(ctx, func() []*appsv1.StatefulSet { return framework.All[*appsv1.StatefulSet](a.Record) }).Should(BeEmpty())
		a.edit(ctx, db, halted(false))
		a.becomes(ctx, db, kubedbv1.PhaseReady)
		a.hasSets(ctx, percona, db)
	})
})

// hasSets expects the sample's PetSets as they have to be, with all pods, and no StatefulSet.
func (a *arena) hasSets(ctx SpecContext, s sample, db framework.Database) {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	Expect(framework.All[*appsv1.StatefulSet](a.Record)).To(BeEmpty())
	Expect(framework.All[*petsetv1.PetSet](a.Record)).To(HaveLen(len(s.groups)))
	for _, g := range s.groups {
		set := a.set(g.workload)
		Expect(metav1.IsControlledBy(set, db)).To(BeTrue())
		Expect(set.Spec.PodManagementPolicy).To(Equal(appsv1.ParallelPodManagement))
		Expect(set.Spec.UpdateStrategy.Type).To(Equal(appsv1.OnDeleteStatefulSetStrategyType))
		Expect(set.Spec.VolumeClaimTemplates).To(ConsistOf(HaveField("Name", "data")))
		Expect(set.Spec.PodPlacementPolicy).To(HaveValue(HaveField("Name", policy)))
		Expect(set.Status.ReadyReplicas).To(BeEquivalentTo(g.replicas))
	}
	for _, name := range s.pods() {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue(), "there is no pod "+name)
		Expect(metav1.GetControllerOf(pod)).To(HaveValue(HaveField("Kind", "PetSet")))
		Expect(pod.Annotations).To(HaveKeyWithValue(opsv1.AnnotationPlacement, policy))
	}
}

// losesPods waits until no PetSet and no pod is left.
func (a *arena) losesPods(ctx SpecContext, s sample) {
	GinkgoHelper()
	Eventually(ctx, func() []*petsetv1.PetSet { return framework.All[*petsetv1.PetSet](a.Record) }).Should(BeEmpty(), "PetSets of "+s.name)
	Eventually(ctx, func() []*corev1.Pod { return framework.All[*corev1.Pod](a.Record) }).Should(BeEmpty(), "pods of "+s.name)
}

func halted(yes bool) func(framework.Database) {
	return func(db framework.Database) {
		switch d := db.(type) {
		case *kubedbv1.PerconaXtraDB:
			d.Spec.Halted = yes
		case *kubedbv1alpha2.Singlestore:
			d.Spec.Halted = yes
		}
	}
}

func withPolicy(db framework.Database, p kubedbv1.DeletionPolicy) {
	switch d := db.(type) {
	case *kubedbv1.PerconaXtraDB:
		d.Spec.DeletionPolicy = p
	case *kubedbv1alpha2.Singlestore:
		d.Spec.DeletionPolicy = p
	}
}
