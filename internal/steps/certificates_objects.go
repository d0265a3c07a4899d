package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// CertificateObjects are what the database's TLS settings ask of cert-manager.
func CertificateObjects(e engines.Engine, db engines.Database) certs.Objects {
	return certs.Build(certs.Facts{
		Name: db.GetName(), Namespace: db.GetNamespace(),
		Headless:   engines.HeadlessService(db.GetName()),
		CommonName: certs.CommonName(e.CommonName(db), db.GetName()),
		Labels:     engines.Labels(e.Kind(), db),
		Aliases:    e.Aliases(),
	}, *e.Settings(db).TLS)
}

// databaseAt is the database with the spec of one side.
func (t *Target) databaseAt(side ops.Side) (engines.Database, error) {
	state := t.Saved.After
	if side == ops.Before {
		state = t.Saved.Before
	}
	db := t.Engine.Kind().NewDatabase()
	if err := json.Unmarshal(fmt.Appendf(nil, `{"spec":%s}`, state.Spec), db); err != nil {
		return nil, fmt.Errorf("reading the saved spec: %w", err)
	}
	live := t.Database.Object
	db.SetName(live.GetName())
	db.SetNamespace(live.GetNamespace())
	db.SetUID(live.GetUID())
	return db, nil
}

// ApplyCertificates applies issuers and Certificates that the cluster has otherwise, and tells whether there were any.
// Nothing of somebody else's is touched: not a Certificate, and not a Secret that cert-manager would overwrite. Whoever has to be
// sure first is asked before the first write.
func (x *Executor) ApplyCertificates(ctx context.Context, owner engines.Database, o certs.Objects, sure func() error) (bool, error) {
	sure = sync.OnceValue(sure)
	wrote := false
	for _, issuer := range o.Issuers {
		w, err := x.Apply.Owned(ctx, owner, issuer.DeepCopy(), sure)
		if err != nil {
			return wrote, err
		}
		wrote = wrote || w
	}
	for _, c := range o.All() {
		if err := x.unclaimed(ctx, c); err != nil {
			return wrote, err
		}
		w, err := x.Apply.Owned(ctx, owner, c.DeepCopy(), sure)
		if err != nil {
			return wrote, err
		}
		wrote = wrote || w
	}
	return wrote, nil
}

// unclaimed looks, before a Certificate is made or gets another Secret, whether somebody else has a Secret of that name.
func (x *Executor) unclaimed(ctx context.Context, desired *cmv1.Certificate) error {
	var known cmv1.Certificate
	err := x.Client.Get(ctx, client.ObjectKeyFromObject(desired), &known)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading Certificate %s: %w", desired.Name, err)
	}
	if err == nil && known.Spec.SecretName == desired.Spec.SecretName {
		return nil
	}
	secret, err := x.liveSecret(ctx, desired.Namespace, desired.Spec.SecretName)
	if err != nil || secret == nil || certs.MadeFor(secret, desired.Name) {
		return err
	}
	return foreignSecret(secret, desired.Name)
}

func foreignSecret(secret *corev1.Secret, certificate string) error {
	return &apply.ForeignError{Kind: "Secret", Name: secret.Name, Want: "cert-manager for Certificate " + certificate}
}

// liveSecret reads a Secret from the API server; nil when there is none.
func (x *Executor) liveSecret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := x.Apply.Live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // absent is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	return &secret, nil
}

// Leaves reads the database's Certificates, each nil in its place if it is not there or is somebody else's.
func (x *Executor) Leaves(ctx context.Context, from client.Reader, owner engines.Database, o certs.Objects) ([]certs.Leaf, error) {
	leaves := make([]certs.Leaf, len(o.Leaves))
	for i, leaf := range o.Leaves {
		live, err := certificate(ctx, from, owner, leaf.Certificate)
		if err != nil {
			return nil, err
		}
		leaves[i] = certs.Leaf{Alias: leaf.Alias, Certificate: live}
	}
	return leaves, nil
}

// certificate reads one Certificate; nil when it is not there or is somebody else's.
func certificate(ctx context.Context, from client.Reader, owner engines.Database, desired *cmv1.Certificate) (*cmv1.Certificate, error) {
	var live cmv1.Certificate
	err := from.Get(ctx, client.ObjectKeyFromObject(desired), &live)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // absent is an answer
	case err != nil:
		return nil, fmt.Errorf("reading Certificate %s: %w", desired.Name, err)
	case !metav1.IsControlledBy(&live, owner):
		return nil, nil //nolint:nilnil // a stranger's is none of ours
	}
	return &live, nil
}
