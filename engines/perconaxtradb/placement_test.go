package perconaxtradb

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
)

// A placement policy is a part of the template where something acts on it, and no reason to restart a pod elsewhere.
func TestPlacement(t *testing.T) {
	db := &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px"}}
	db.Spec.Version = "8.0.40"
	db.Spec.PodTemplate.Annotations = map[string]string{opsv1.AnnotationPlacement: "forged"}
	db.Spec.PodTemplate.Spec.PodPlacementPolicy = &corev1.LocalObjectReference{Name: "spread"}
	for placement, want := range map[bool]string{true: "spread", false: ""} {
		in := engines.Inputs{Version: catalogv1.VersionSpec{}, Placement: placement}
		e := New()
		e.Default(db)
		objects, err := e.Render(db, in)
		if err != nil {
			t.Fatal(err)
		}
		if got := objects.Groups[0].StatefulSet.Spec.Template.Annotations[opsv1.AnnotationPlacement]; got != want {
			t.Errorf("placement %t: the template names the policy %q, want %q", placement, got, want)
		}
	}
}
