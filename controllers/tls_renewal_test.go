package controllers

import (
	"slices"
	"testing"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
)

func TestWhatAWorkloadMountsOlderVersionsOf(t *testing.T) {
	revision := 2
	leaves := []certs.Leaf{{Alias: "server", Certificate: &cmv1.Certificate{
		ObjectMeta: metav1.ObjectMeta{UID: "one"}, Status: cmv1.CertificateStatus{Revision: &revision},
	}}}
	workload := func(copied, annotation string) *appsv1.StatefulSet {
		set := &appsv1.StatefulSet{}
		if annotation != "" {
			set.Annotations = map[string]string{opsv1.AnnotationCertificates: annotation}
		}
		if copied != "" {
			set.Spec.Template.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: copied},
			}}}
		}
		return set
	}
	latest := certs.MountedFrom(leaves, false).String()
	for name, c := range map[string]struct {
		set  *appsv1.StatefulSet
		want []string
	}{
		"the latest":                            {workload("px-tls-0123456789", latest), nil},
		"a copy of which it does not say what":  {workload("px-tls-0123456789", ""), []string{"server"}},
		"no certificates":                       {workload("", ""), nil},
		"a Secret of the user's with that name": {workload("px-tls-bundle", ""), nil},
	} {
		if got := renewedIn("px", mounting{workloads: map[string]*appsv1.StatefulSet{"px": c.set}}, leaves); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
}
