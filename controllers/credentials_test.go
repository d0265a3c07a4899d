package controllers

import (
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
)

// Credentials are made once: data that know others are not given new ones.
func TestCredentialsAreMadeOnce(t *testing.T) {
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{EnvFrom: []corev1.EnvFromSource{
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "px-auth"}}},
	}}}}}
	set := &appsv1.StatefulSet{ObjectMeta: labelled("px"), Spec: appsv1.StatefulSetSpec{
		Template: template, VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{}},
	}}
	live := set.DeepCopy()
	live.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(database(), perconaxtradb.New().Kind().Database)}
	going := &corev1.PersistentVolumeClaim{ObjectMeta: labelled("data-px-1")}
	going.DeletionTimestamp, going.Finalizers = new(metav1.Now()), []string{"kubernetes.io/pvc-protection"}
	for name, c := range map[string]struct {
		objects []client.Object
		refused bool
	}{
		"nothing yet":                 {nil, false},
		"pods that read it":           {[]client.Object{live}, true},
		"data of earlier pods":        {[]client.Object{&corev1.PersistentVolumeClaim{ObjectMeta: labelled("data-px-0")}}, true},
		"data that is on its way out": {[]client.Object{going}, false},
		"data of another group":       {[]client.Object{&corev1.PersistentVolumeClaim{ObjectMeta: labelled("data-px-leaf-0")}}, false},
		"a claim made in advance":     {[]client.Object{&corev1.PersistentVolumeClaim{ObjectMeta: object("data-px-0")}}, false},
	} {
		w := newWorld(t, append([]client.Object{database()}, c.objects...)...)
		auth := engines.AuthSecret{Secret: &corev1.Secret{ObjectMeta: object("px-auth")}}
		err := w.controller.createCredentials(t.Context(), database(), auth, []engines.GroupObjects{{StatefulSet: set}})
		if _, refused := errors.AsType[*refusal](err); refused != c.refused || err != nil && !c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
