//go:build lab

package acceptance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("An edited podTemplate", func() {
	for _, s := range samples {
		It("waits for a Restart of "+s.title+", and PodsUpToDate says so", func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name)
			a.provision(ctx, db)
			since := a.now(ctx)
			Expect(edit(ctx, a, db, colour("green"))).To(Succeed())
			Eventually(ctx, a.says(db, "PodsUpToDate")).Should(HaveField("Status", metav1.ConditionFalse))
			for _, pod := range s.pods() {
				Expect(a.says(db, "PodsUpToDate")().Message).To(ContainSubstring(pod))
			}
			Consistently(ctx, a.phase(db), time.Second).Should(Equal(kubedbv1.PhaseReady))
			Expect(a.restarted(ctx, since)).To(BeEmpty(), "an edit restarted pods")

			// A pod that leaves for another reason comes back as it was: with nothing that was not checked.
			a.deleteByHand(ctx, s.pods()[0])
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			Expect(a.colourOf(s.pods()[0])).To(BeEmpty())

			a.succeeds(ctx, s.restart(a, "apply-the-template"))
			Eventually(ctx, a.says(db, "PodsUpToDate")).Should(HaveField("Status", metav1.ConditionTrue))
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			for _, pod := range s.pods() {
				Expect(a.colourOf(pod)).To(Equal("green"), pod)
			}
		})
	}

	It("is merged over the operator's own template by container and by variable", func(ctx SpecContext) {
		a := newArena(ctx)
		db := withVersion(percona.database(a.Name), a.fullVersion(ctx, percona)).(*kubedbv1.PerconaXtraDB)
		db.Spec.PodTemplate.Labels = map[string]string{"team": "payments"}
		db.Spec.PodTemplate.Spec.Containers = []corev1.Container{
			{Name: "perconaxtradb", Env: []corev1.EnvVar{{Name: "MINE", Value: "yes"}}},
			{Name: "sidecar", Image: "example.org/sidecar:1"},
		}
		a.provision(ctx, db)
		pod := a.pod("px-0")
		Expect(names(pod.Spec.Containers)).To(Equal([]string{"perconaxtradb", "px-coordinator", "sidecar"}))
		Expect(pod.Spec.Containers[0].Env).To(And(
			ContainElement(HaveField("Name", "MINE")), ContainElement(HaveField("Name", "MYSQL_ROOT_PASSWORD"))))
		Expect(pod).To(haveLabels(map[string]string{"team": "payments", "app.kubernetes.io/instance": "px"}))
	})
})

// colour sets a variable in the database container of every group.
func colour(value string) func(framework.Database) {
	variable := func(t *kubedbv1.PodTemplateSpec, container string) {
		t.Spec.Containers = []corev1.Container{{Name: container, Env: []corev1.EnvVar{{Name: "COLOUR", Value: value}}}}
	}
	return func(db framework.Database) {
		switch d := db.(type) {
		case *kubedbv1.PerconaXtraDB:
			variable(&d.Spec.PodTemplate, "perconaxtradb")
		case *kubedbv1alpha2.Singlestore:
			if d.Spec.Topology == nil {
				variable(d.Spec.PodTemplate, "singlestore")
				return
			}
			variable(d.Spec.Topology.Aggregator.PodTemplate, "singlestore")
			variable(d.Spec.Topology.Leaf.PodTemplate, "singlestore")
		}
	}
}

// colourOf is that variable in a pod.
func (a *arena) colourOf(pod string) string {
	GinkgoHelper()
	for _, e := range a.pod(pod).Spec.Containers[0].Env {
		if e.Name == "COLOUR" {
			return e.Value
		}
	}
	return ""
}
