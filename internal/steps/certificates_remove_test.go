package steps

import (
	"errors"
	"testing"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/drydock-db/drydock/ops"
)

func TestRemovalLeavesNothing(t *testing.T) {
	one := newAuthority("one")
	w := secured(t, one, "one")
	copyName := CopyOf("px", w.target.Saved.Before.Workloads["perconaxtradb"])
	w.target.Saved.After.Spec = []byte(spec(""))
	users := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px-ca"}}
	if err := w.client.Create(t.Context(), users); err != nil {
		t.Fatal(err)
	}
	w.down = errors.New("dead")
	for range 6 { // the operator dies at each of its deletions; here: at all of them
		if _, err := w.do(ops.RemoveCertificates{}); err == nil {
			t.Fatal("nothing was deleted")
		}
	}
	w.down = nil
	w.must(ops.RemoveCertificates{}, ops.Done)
	w.must(ops.RemoveCertificates{}, ops.Done)
	var secrets corev1.SecretList
	if err := w.client.List(t.Context(), &secrets); err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets.Items {
		if s.Name != "px-ca" && s.Name != copyName {
			t.Errorf("Secret %s is left", s.Name)
		}
	}
	var left cmv1.CertificateList
	if err := w.client.List(t.Context(), &left); err != nil || len(left.Items) != 0 {
		t.Errorf("%d Certificates are left: %v", len(left.Items), err)
	}
}

func TestAKindThatIsNotInstalledHasNoObjects(t *testing.T) {
	for _, err := range []error{
		&meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: cmv1.SchemeGroupVersion.Group, Kind: cmv1.CertificateKind}},
		apierrors.NewNotFound(schema.GroupResource{Resource: "certificates"}, "px-server-cert"),
	} {
		if !absent(err) {
			t.Errorf("%v is something to remove", err)
		}
	}
	if absent(nil) || absent(errors.New("no answer")) {
		t.Error("what is there, or may be, is taken for absent")
	}
}

func TestUndoingAnAdditionRemovesTheCopies(t *testing.T) {
	w := newTLSWorld(t, "", "one")
	w.must(issue, ops.Waiting)
	w.issues(newAuthority("one"))
	w.must(issue, ops.Done)
	copyName := w.target.Saved.Copies.After
	w.target.Side = ops.Before
	w.must(ops.RemoveCertificates{}, ops.Done)
	if w.get(copyName, &corev1.Secret{}) || w.get("px-server-cert", &corev1.Secret{}) {
		t.Error("a key is left behind")
	}
}

func TestTheSecretOfAnOldNameGoes(t *testing.T) {
	w := secured(t, newAuthority("one"), "one")
	renamed := `{"version":"8.0.40","tls":{"issuerRef":{"kind":"Issuer","name":"one"},"certificates":[{"alias":"client","secretName":"mine"}]}}`
	w.target.Saved.After.Spec = []byte(renamed)
	w.must(issue, ops.Waiting)
	users := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px-other-cert"}}
	if err := w.client.Create(t.Context(), users); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.executor.RemoveUnnamed(t.Context(), w.target); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]bool{"px-client-cert": false, "px-server-cert": true, "px-other-cert": true} {
		if got := w.get(name, &corev1.Secret{}); got != want {
			t.Errorf("Secret %s is there: %t, want %t", name, got, want)
		}
	}
}
