//go:build lab

package acceptance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("An object of somebody else's under a name that the operator wants", func() {
	selector := map[string]string{"app": "somebody-elses"}
	DescribeTable("is left alone; the database says so, and goes on when it is gone",
		func(ctx SpecContext, kind string, taken client.Object) {
			a := newArena(ctx)
			taken = taken.DeepCopyObject().(client.Object)
			taken.SetNamespace(a.Name)
			a.create(ctx, taken)
			uid := taken.GetUID()
			db := percona.database(a.Name)
			a.create(ctx, db)
			Eventually(ctx, a.says(db, "Stalled")).Should(And(
				HaveField("Status", metav1.ConditionTrue), HaveField("Reason", "NameTaken"),
				HaveField("Message", And(ContainSubstring(kind+" "+taken.GetName()), ContainSubstring("rename or delete it")))))
			a.reads(ctx, taken.GetName(), taken)
			Expect(taken.GetUID()).To(Equal(uid))
			Expect(taken.GetOwnerReferences()).To(BeEmpty(), "it was adopted")
			Expect(taken.GetLabels()).NotTo(HaveKey("app.kubernetes.io/instance"), "it was written")

			Expect(a.Client.Delete(ctx, taken)).To(Succeed())
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			Expect(a.says(db, "Stalled")().Status).NotTo(Equal(metav1.ConditionTrue))
		},
		Entry("a Service", "Service", &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "px-pods"},
			Spec: corev1.ServiceSpec{
				ClusterIP: corev1.ClusterIPNone, Selector: selector, Ports: []corev1.ServicePort{{Name: "http", Port: 80}},
			},
		}),
		Entry("a ServiceAccount", "ServiceAccount", &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "px"}}),
		Entry("a Secret with the administrator's credentials", "Secret", credentials("px-auth")),
		Entry("a Secret with another user's credentials", "Secret", credentials("px-replication")),
		Entry("a PodDisruptionBudget", "PodDisruptionBudget", &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "px"},
			Spec: policyv1.PodDisruptionBudgetSpec{
				Selector: &metav1.LabelSelector{MatchLabels: selector}, MaxUnavailable: new(intstr.FromInt32(1)),
			},
		}),
		Entry("a StatefulSet", "StatefulSet", &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Name: "px"},
			Spec: appsv1.StatefulSetSpec{
				Replicas: new(int32(0)), Selector: &metav1.LabelSelector{MatchLabels: selector},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: selector},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.org/main:1"}}},
				},
			},
		}),
	)
})

var _ = Describe("A claim that a database of another kind has left", func() {
	It("is not mounted; the database says so, and goes on when it is gone", func(ctx SpecContext) {
		a := newArena(ctx)
		left := &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "data-px-0", Labels: map[string]string{
				"app.kubernetes.io/name": "singlestores.kubedb.com", "app.kubernetes.io/instance": "px",
			}},
			Spec: *storage("1Gi"),
		}
		a.create(ctx, left)
		db := percona.database(a.Name)
		a.create(ctx, db)
		Eventually(ctx, a.says(db, "Stalled")).Should(And(
			HaveField("Status", metav1.ConditionTrue), HaveField("Reason", "NameTaken"),
			HaveField("Message", And(ContainSubstring("PersistentVolumeClaim data-px-0"), ContainSubstring("another name")))))
		Expect(framework.All[*corev1.Pod](a.Record)).To(BeEmpty())
		Expect(a.Client.Delete(ctx, left)).To(Succeed())
		a.becomes(ctx, db, kubedbv1.PhaseReady)
	})
})

// credentials that nobody who creates a database has named.
func credentials(name string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeBasicAuth,
		StringData: map[string]string{"username": "somebody", "password": "not for the pods"},
	}
}
