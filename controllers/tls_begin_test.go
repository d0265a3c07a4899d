package controllers

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/internal/steps"
)

// A request that was removed by force has left pods without certificates below a workload that mounts some. Whatever restarts them
// next must not make one insist on TLS while another cannot speak it.
func TestEveryPodSpeaksTLSBeforeOneInsists(t *testing.T) {
	copied := certs.CopyName("px", certs.Copy{})
	mounting := func(secret string) corev1.PodSpec {
		if secret == "" {
			return corev1.PodSpec{}
		}
		return corev1.PodSpec{Volumes: []corev1.Volume{{Name: "tls", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}}}}}
	}
	for name, c := range map[string]struct {
		pods  []string
		first bool
	}{
		"all have certificates": {[]string{copied, copied, copied}, false},
		"one has none yet":      {[]string{copied, "", copied}, true},
	} {
		t.Run(name, func(t *testing.T) {
			db := database()
			db.Spec.TLS, db.Spec.RequireSSL = &kubedbv1.TLSConfig{}, true
			db.Spec.Storage = &corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			}}
			w := newWorld(t, db)
			w.controller.Engine.Default(db)
			for i, secret := range c.pods {
				pod := &corev1.Pod{ObjectMeta: labelled("px-" + string(rune('0'+i))), Spec: mounting(secret)}
				if err := w.client.Create(t.Context(), pod); err != nil {
					t.Fatal(err)
				}
			}
			set := &appsv1.StatefulSet{ObjectMeta: labelled("px")}
			set.Spec.Template.Spec = mounting(copied)
			saved := &steps.Saved{Rolls: []string{"perconaxtradb"}, Before: steps.State{Workloads: map[string]*appsv1.StatefulSet{"perconaxtradb": set}}}
			change := tlsChange{security: security{secret: copied}}
			change.live.secret = copied
			if _, err := w.controller.trustFirst(t.Context(), saved, change, db, &catalogv1.VersionSpec{Version: "8.0.40"}); err != nil {
				t.Fatal(err)
			}
			if first := saved.Trust != nil; first != c.first {
				t.Errorf("TLS is offered first: %t", first)
			}
		})
	}
}
