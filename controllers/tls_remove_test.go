package controllers

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/internal/steps"
)

// mountingCopy is px's workload, which mounts that Secret if it has a name.
func mountingCopy(secret string) *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{ObjectMeta: owned("px")}
	if secret != "" {
		set.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "certificates", VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: secret},
		}}}
	}
	return set
}

// owned is controlled by px.
func owned(name string) metav1.ObjectMeta {
	meta := labelled(name)
	meta.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(database(), perconaxtradb.New().Kind().Database)}
	return meta
}

// An operator that wakes up to an old list is the last one that looks for the copies of certificates of a database that has lost
// its TLS.
func TestCopiesGoByWhatWorkloadsNameToday(t *testing.T) {
	const lost = "px-tls-0123456789"
	if steps.CopyOf("px", mountingCopy(lost)) != lost {
		t.Fatalf("%s does not count as a copy", lost)
	}
	for _, c := range []struct {
		title, cached, today string
		stays                bool
	}{
		{"the cache is behind", lost, "", false},
		{"the cache is current", "", "", false},
		{"a workload names it again", "", lost, true},
	} {
		t.Run(c.title, func(t *testing.T) {
			w := newWorld(t, database(), mountingCopy(c.today), &corev1.Secret{ObjectMeta: owned(lost)})
			w.controller.Cluster.Client = fake.NewClientBuilder().WithObjects(mountingCopy(c.cached)).Build()
			before := map[string]*appsv1.StatefulSet{"perconaxtradb": mountingCopy(lost)}
			if err := w.controller.removeCopiesOf(t.Context(), database(), before); err != nil {
				t.Fatal(err)
			}
			if stays := !slices.Contains(w.writes, "delete Secret "+lost); stays != c.stays {
				t.Errorf("the copy stays: %t; want %t", stays, c.stays)
			}
		})
	}
}
