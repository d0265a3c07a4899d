package admit_test

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

const hidden = "hidden"

// TestSecretsOfEveryKindOfVolume fills each kind of volume that Kubernetes has with a Secret that the requester may not
// read. A kind that a later version adds is among them.
func TestSecretsOfEveryKindOfVolume(t *testing.T) {
	w := loadWorld(t)
	a, withSecret := w.admission(t, "get secrets "+hidden), 0
	for i := range reflect.TypeFor[corev1.VolumeSource]().NumField() {
		var source corev1.VolumeSource
		value := reflect.ValueOf(&source).Elem().Field(i)
		kind := value.Type().Elem()
		value.Set(reflect.New(kind))
		if !hide(value.Elem()) {
			continue
		}
		withSecret++
		t.Run(kind.Name(), func(t *testing.T) {
			db := into(t, w[w.find("PerconaXtraDB", "pxc")], &kubedbv1.PerconaXtraDB{})
			db.Spec.PodTemplate.Spec.Volumes = []corev1.Volume{{Name: "extra", VolumeSource: source}}
			pxc.Default(db)
			v, err := a.Database(t.Context(), pxc, db, nil, alice)
			if err != nil || !strings.Contains(v.Errors.ToAggregate().Error(), "spec.podTemplate.spec.volumes[0].") {
				t.Errorf("%v %v", v.Errors, err)
			}
		})
	}
	if withSecret < 11 {
		t.Errorf("only %d kinds of volumes have a Secret: does the test still find them?", withSecret)
	}
}

// hide writes the name of the Secret wherever a volume names one, and tells whether it does.
func hide(value reflect.Value) bool {
	found := false
	for i := range value.NumField() {
		f := value.Type().Field(i)
		switch named := value.Field(i); {
		case f.Name == "SecretName" && f.Type.Kind() == reflect.String:
			named.SetString(hidden)
			found = true
		case f.Type == reflect.TypeFor[*corev1.LocalObjectReference]():
			named.Set(reflect.ValueOf(&corev1.LocalObjectReference{Name: hidden}))
			found = true
		case f.Type == reflect.TypeFor[[]corev1.VolumeProjection]():
			named.Set(reflect.ValueOf([]corev1.VolumeProjection{{
				Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: hidden}},
			}}))
			found = true
		}
	}
	return found
}
