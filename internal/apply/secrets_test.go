package apply

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// A Secret that is mounted is the one that was made: neither a stranger's under its name, nor one with other content that
// claims to be the owner's.
func TestASecretIsCreatedOnce(t *testing.T) {
	owner := &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "db"}}
	secret := func(owned bool, content string) *corev1.Secret {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px-config-1"}, Data: map[string][]byte{"a.cnf": []byte(content)}}
		if owned {
			s.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, kubedbv1.GroupVersion.WithKind("PerconaXtraDB"))}
		}
		return s
	}
	for name, c := range map[string]struct {
		live  *corev1.Secret
		owned bool
		want  string
	}{
		"there is none":                       {nil, true, ""},
		"made before":                         {secret(true, "[mysqld]"), true, ""},
		"a stranger's":                        {secret(false, "[mysqld]"), true, "Secret px-config-1 exists and is not controlled by PerconaXtraDB px: rename or delete it"},
		"it claims to be ours":                {secret(true, "[mysqld]\ninit_file=/x"), true, "Secret px-config-1 exists and is not controlled by PerconaXtraDB px: rename or delete it"},
		"one that need not be the database's": {secret(false, "anything"), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var there []client.Object
			if c.live != nil {
				there = append(there, c.live)
			}
			a := applier(t, Workloads{}, there...)
			err := a.CreateOnly(t.Context(), owner, secret(false, "[mysqld]"), c.owned)
			if got := text(err); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			var now corev1.Secret
			if err := a.Live.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: "px-config-1"}, &now); err != nil {
				t.Fatal(err)
			}
			if c.live != nil && string(now.Data["a.cnf"]) != string(c.live.Data["a.cnf"]) {
				t.Errorf("it was written: %q", now.Data["a.cnf"])
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
