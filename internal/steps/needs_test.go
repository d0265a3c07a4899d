package steps

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// What a pod cannot start without is everything that it reads and that is not optional.
func TestSecretNeeds(t *testing.T) {
	ref := func(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }
	from := func(name, key string, optional *bool) corev1.EnvVar {
		return corev1.EnvVar{ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: ref(name), Key: key, Optional: optional}}}
	}
	needs := SecretNeeds{}
	needs.AddPod(corev1.PodSpec{
		InitContainers: []corev1.Container{{Env: []corev1.EnvVar{from("auth", "username", nil), {Value: "plain"}}}},
		Containers: []corev1.Container{{
			Env:     []corev1.EnvVar{from("auth", "password", nil), from("auth", "username", nil), from("perhaps", "x", new(true))},
			EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: ref("environment")}}, {}},
		}},
		Volumes: []corev1.Volume{
			{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "files", Optional: new(false)}}},
			{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "perhaps-files", Optional: new(true)}}},
			{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{Secret: &corev1.SecretProjection{LocalObjectReference: ref("projected"), Items: []corev1.KeyToPath{{Key: "ca.crt"}}}}, {},
			}}}},
			{VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	})
	want := SecretNeeds{"auth": {"username", "password"}, "environment": nil, "files": nil, "projected": {"ca.crt"}}
	if diff := cmp.Diff(want, needs); diff != "" {
		t.Error(diff)
	}
}
