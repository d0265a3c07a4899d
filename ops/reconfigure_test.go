package ops

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops/mycnf"
)

func TestReconfigured(t *testing.T) {
	type spec = kubedbv1.ConfigurationSpec
	type change = opsv1.ReconfigurationSpec
	type files = map[string]string
	secret := func(name string) *corev1.LocalObjectReference { return &corev1.LocalObjectReference{Name: name} }
	for _, c := range []struct {
		name   string
		old    *spec
		change change
		want   *spec
	}{
		{"nothing to nothing", nil, change{}, nil},
		{"nothing is left of an empty one", &spec{}, change{}, nil},
		{"no change", &spec{SecretName: "a"}, change{}, &spec{SecretName: "a"}},
		{"a Secret", nil, change{ConfigSecret: secret("a")}, &spec{SecretName: "a"}},
		{"another Secret leaves inline alone", &spec{SecretName: "a", Inline: files{"f": "[server]\nx=1\n"}}, change{ConfigSecret: secret("b")},
			&spec{SecretName: "b", Inline: files{"f": "[server]\nx=1\n"}}},
		{"the first inline file", &spec{SecretName: "a"}, change{ApplyConfig: files{"f": "x=1"}}, &spec{SecretName: "a", Inline: files{"f": "[server]\nx=1\n"}}},
		{"inline files merge one by one", &spec{Inline: files{"f": "[server]\nx=1\ny=1\n", "g": "[server]\nx=1\n"}},
			change{ApplyConfig: files{"f": "x=2", "h": "z=1"}},
			&spec{Inline: files{"f": "[server]\nx=2\ny=1\n", "g": "[server]\nx=1\n", "h": "[server]\nz=1\n"}}},
		{"removal", &spec{SecretName: "a", Inline: files{"f": "x=1"}}, change{RemoveCustomConfig: true}, nil},
		{"removal, then what the request brings", &spec{SecretName: "a", Inline: files{"f": "[server]\nx=1\n"}},
			change{RemoveCustomConfig: true, ConfigSecret: secret("b"), ApplyConfig: files{"f": "y=2"}},
			&spec{SecretName: "b", Inline: files{"f": "[server]\ny=2\n"}}},
		{"removal of nothing", nil, change{RemoveCustomConfig: true}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.old.DeepCopy()
			got, err := Reconfigured(c.old, c.change, mycnf.SingleStore)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Reconfigured (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, c.old); diff != "" {
				t.Errorf("the old configuration was changed:\n%s", diff)
			}
			again, err := Reconfigured(got, c.change, mycnf.SingleStore)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("the same change again changes something:\n%s", diff)
			}
		})
	}
}

func TestReconfiguredNamesTheFile(t *testing.T) {
	_, err := Reconfigured(nil, opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{"good": "x=1", "my.cnf": "a b"}}, mycnf.MySQL)
	want := `applyConfig[my.cnf]: new settings: line 1: this is no option; write it as "name = value" or "name"`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}
