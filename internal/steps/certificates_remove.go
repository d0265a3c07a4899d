package steps

import (
	"context"
	"fmt"
	"maps"
	"slices"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// removeCertificates takes back what both sides asked of cert-manager, with the Secrets that cert-manager leaves
// behind. When TLS is removed the copies stay until the operation is over, because an undo would mount them; when adding
// TLS is undone there is nothing that could mount them again.
func (x *Executor) removeCertificates(ctx context.Context, t *Target) (ops.Outcome, error) {
	if err := x.confirm(ctx, t); err != nil {
		return ops.Outcome{}, err
	}
	for _, side := range []ops.Side{ops.Before, ops.After} {
		db, err := t.databaseAt(side)
		if err != nil {
			return ops.Outcome{}, err
		}
		if err := x.RemoveCertificates(ctx, t.Database.Object, CertificateObjects(t.Engine, db)); err != nil {
			return ops.Outcome{}, err
		}
	}
	if t.Side == ops.Before {
		if err := x.Recall(ctx, t); err != nil {
			return ops.Outcome{}, err
		}
		made := slices.DeleteFunc(t.Saved.Copies.names(), t.Saved.mountedBefore)
		if err := x.RemoveSecrets(ctx, t.Database.Object, made); err != nil {
			return ops.Outcome{}, err
		}
	}
	return done("the certificates and their Secrets are removed"), nil
}

// RemoveCertificates deletes issuers and Certificates that the database controls, and the Secrets that cert-manager made
// for them. Certificates go first: cert-manager would fill a Secret again.
func (x *Executor) RemoveCertificates(ctx context.Context, owner engines.Database, o certs.Objects) error {
	secrets := map[string]string{} // name → Certificate
	for _, desired := range o.All() {
		var live cmv1.Certificate
		foreign, err := x.remove(ctx, owner, desired, &live)
		if err != nil {
			return err
		}
		if foreign {
			continue
		}
		secrets[desired.Spec.SecretName] = desired.Name
		if live.Spec.SecretName != "" {
			secrets[live.Spec.SecretName] = desired.Name
		}
	}
	if err := x.removeIssued(ctx, owner, secrets); err != nil {
		return err
	}
	for _, desired := range o.Issuers {
		if _, err := x.remove(ctx, owner, desired, &cmv1.Issuer{}); err != nil {
			return err
		}
	}
	return nil
}

// RemoveUnnamed deletes the Secrets that cert-manager filled for either side of a change and that no Certificate names any
// more: cert-manager leaves them behind when a Certificate is given another Secret.
func (x *Executor) RemoveUnnamed(ctx context.Context, t *Target) error {
	owner, filled, named := t.Database.Object, map[string]string{}, []string{}
	for _, side := range []ops.Side{ops.Before, ops.After} {
		db, err := t.databaseAt(side)
		if err != nil {
			return err
		}
		for _, desired := range CertificateObjects(t.Engine, db).All() {
			var live cmv1.Certificate
			err := x.Apply.Live.Get(ctx, client.ObjectKeyFromObject(desired), &live)
			if err != nil && !absent(err) {
				return fmt.Errorf("reading Certificate %s: %w", desired.Name, err)
			}
			if err == nil {
				named = append(named, live.Spec.SecretName)
			}
			if err != nil || metav1.IsControlledBy(&live, owner) { // nothing of somebody else's
				filled[desired.Spec.SecretName] = desired.Name
			}
		}
	}
	for _, name := range named {
		delete(filled, name)
	}
	return x.removeIssued(ctx, owner, filled)
}

// absent tells whether an object does not exist, or its kind does not: where cert-manager has been uninstalled, nothing of its is
// left to remove.
func absent(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// removeIssued deletes Secrets that cert-manager made for Certificates, given by the Secrets' names.
func (x *Executor) removeIssued(ctx context.Context, owner engines.Database, certificates map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(certificates)) {
		secret, err := x.liveSecret(ctx, owner.GetNamespace(), name)
		if err != nil {
			return err
		}
		if secret == nil || !certs.MadeFor(secret, certificates[name]) {
			continue
		}
		if err := x.deleteSecret(ctx, secret); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes an object if the database controls it, and tells whether it is somebody else's.
func (x *Executor) remove(ctx context.Context, owner engines.Database, desired, live client.Object) (foreign bool, err error) {
	err = x.Apply.Live.Get(ctx, client.ObjectKeyFromObject(desired), live)
	if absent(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", desired.GetName(), err)
	}
	if !metav1.IsControlledBy(live, owner) {
		return true, nil
	}
	if err := apply.DeleteExact(ctx, x.Client, live); err != nil {
		return false, fmt.Errorf("removing %s: %w", live.GetName(), err)
	}
	return false, nil
}

// RemoveSecrets deletes Secrets that the database controls.
func (x *Executor) RemoveSecrets(ctx context.Context, owner engines.Database, names []string) error {
	for _, name := range names {
		secret, err := x.liveSecret(ctx, owner.GetNamespace(), name)
		if err != nil {
			return err
		}
		if secret != nil && metav1.IsControlledBy(secret, owner) {
			if err := x.deleteSecret(ctx, secret); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Executor) deleteSecret(ctx context.Context, secret *corev1.Secret) error {
	if err := apply.DeleteExact(ctx, x.Client, secret); err != nil {
		return fmt.Errorf("removing Secret %s: %w", secret.Name, err)
	}
	return nil
}
