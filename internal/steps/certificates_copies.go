package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// CertificateError is what is wrong with a certificate or a copy. It may come right by itself unless it is Final.
type CertificateError struct {
	Reason, Message string
	Final           bool
}

func (e *CertificateError) Error() string { return e.Message }

// mount makes the copies that the pods are to mount, and records their names.
func (x *Executor) mount(ctx context.Context, t *Target, leaves []certs.Leaf) (ops.Outcome, error) {
	plan, err := x.Exchange(ctx, t.Engine, t.Database.Object, leaves, t.Saved.Before.Workloads)
	var problem *CertificateError
	switch {
	case errors.As(err, &problem) && problem.Final:
		return failed(problem.Reason, "%s", problem.Message), nil
	case errors.As(err, &problem):
		out := waiting(problem.Reason, "%s", problem.Message)
		out.After = Patience
		return out, nil
	case err != nil:
		return ops.Outcome{}, err
	}
	// The names are recorded first: whoever cleans up finds what may have been made.
	if err := x.record(ctx, t, &plan.Copies); err != nil {
		return ops.Outcome{}, err
	}
	if t.Saved.Copies.equal(&plan.Copies) {
		if err := x.confirm(ctx, t); err != nil { // what is made for an operation that is over stays, with its keys
			return ops.Outcome{}, err
		}
		for _, secret := range plan.Secrets {
			if err := x.Apply.CreateOnly(ctx, t.Database.Object, secret, true); err != nil {
				return ops.Outcome{}, err
			}
		}
	}
	return done("the certificates %s are issued", strings.Join(t.Saved.TLS.Certificates, ", ")), nil
}

// Exchange is how pods get to the current certificates.
type Exchange struct {
	Copies Copies
	// Secrets are the copies.
	Secrets []*corev1.Secret
	// NewAuthority says that pods have to pass through Trust.
	NewAuthority bool
}

// Exchange reads the current certificates and what the workloads mount, by group, and works out the copies to mount. It
// returns a CertificateError if it cannot.
func (x *Executor) Exchange(ctx context.Context, e engines.Engine, db engines.Database, leaves []certs.Leaf, workloads map[string]*appsv1.StatefulSet) (Exchange, error) {
	now := x.now()
	current, err := x.pairs(ctx, leaves, now)
	if err != nil {
		return Exchange{}, err
	}
	mounted, err := x.mountedCopies(ctx, db, workloads)
	if err != nil {
		return Exchange{}, err
	}
	others, err := x.leftCopies(ctx, db, workloads)
	if err != nil {
		return Exchange{}, err
	}
	plan, err := certs.NewExchange(now, current, mounted, others...)
	if err != nil {
		return Exchange{}, &CertificateError{Reason: ReasonNoAuthority, Message: err.Error(), Final: true}
	}
	out := Exchange{NewAuthority: plan.NewAuthority, Copies: Copies{
		Trust: map[string]string{}, After: certs.CopyName(db.GetName(), plan.After),
		Mounted: certs.MountedFrom(leaves, plan.OldAuthority).String(),
	}}
	made := map[string]bool{}
	add := func(c certs.Copy) string {
		name := certs.CopyName(db.GetName(), c)
		if !made[name] {
			made[name] = true
			out.Secrets = append(out.Secrets, copySecret(e, db, name, c))
		}
		return name
	}
	for group, c := range plan.Trust {
		out.Copies.Trust[group] = CopyOf(db.GetName(), workloads[group])
		if plan.NewAuthority {
			out.Copies.Trust[group] = add(c)
		}
	}
	add(plan.After)
	return out, nil
}

func copySecret(e engines.Engine, db engines.Database, name string, c certs.Copy) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: db.GetNamespace(), Labels: engines.Labels(e.Kind(), db),
		},
		Immutable: new(true),
		Data:      c,
	}
}

// pairs reads what cert-manager has issued.
func (x *Executor) pairs(ctx context.Context, leaves []certs.Leaf, now time.Time) (map[string]certs.Pair, error) {
	current := map[string]certs.Pair{}
	for _, leaf := range leaves {
		if leaf.Certificate == nil {
			return nil, &CertificateError{Reason: ReasonIssuing, Message: "certificate " + leaf.Alias + " is gone"}
		}
		name := leaf.Certificate.Spec.SecretName
		secret, err := x.liveSecret(ctx, leaf.Certificate.Namespace, name)
		switch {
		case err != nil:
			return nil, err
		case secret == nil:
			return nil, &CertificateError{Reason: ReasonIssuing,
				Message: fmt.Sprintf("Secret %s of certificate %s is gone; cert-manager makes it again", name, leaf.Alias)}
		case !certs.MadeFor(secret, leaf.Certificate.Name):
			return nil, &CertificateError{Reason: ReasonNameTaken, Message: foreignSecret(secret, leaf.Certificate.Name).Error(), Final: true}
		}
		if current[leaf.Alias], err = pairOf(leaf, secret, now); err != nil {
			return nil, err
		}
	}
	return current, nil
}

// pairOf reads a certificate. One whose renewal is overdue is taken although it has expired: pods have it no better.
func pairOf(leaf certs.Leaf, secret *corev1.Secret, now time.Time) (certs.Pair, error) {
	if !certs.Ready(leaf.Certificate) && !certs.Holds(secret.Data, leaf.Certificate) {
		return certs.Pair{}, &CertificateError{Reason: ReasonIssuing, Message: "certificate " + leaf.Alias + " is being issued"}
	}
	if end := leaf.Certificate.Status.NotAfter; end != nil && now.After(end.Time) && certs.Overdue(leaf.Certificate, now) {
		now = end.Add(-time.Second)
	}
	pair, err := certs.PairOf(secret.Data, now)
	if err != nil {
		e := &CertificateError{Reason: ReasonIssuing, Message: fmt.Sprintf("Secret %s of certificate %s: %v", secret.Name, leaf.Alias, err)}
		if errors.Is(err, certs.ErrNoAuthority) {
			e.Reason, e.Final = ReasonNoAuthority, true
		}
		return certs.Pair{}, e
	}
	return pair, nil
}

// mountedCopies reads the copies that workloads name, by group. Each is read once.
func (x *Executor) mountedCopies(ctx context.Context, db engines.Database, workloads map[string]*appsv1.StatefulSet) (map[string]certs.Copy, error) {
	mounted, read := map[string]certs.Copy{}, map[string]certs.Copy{}
	for group, set := range workloads {
		name := CopyOf(db.GetName(), set)
		if name == "" || name == certs.PendingCopy(db.GetName()) {
			continue
		}
		if _, known := read[name]; !known {
			secret, err := x.liveSecret(ctx, db.GetNamespace(), name)
			if err != nil {
				return nil, err
			}
			if secret == nil || !metav1.IsControlledBy(secret, db) {
				return nil, &CertificateError{Reason: ReasonCopyMissing, Final: true, Message: fmt.Sprintf(
					"Secret %s, which the pods mount, is gone: an OpsRequest of type Restart gives them another", name)}
			}
			read[name] = secret.Data
		}
		mounted[group] = read[name]
	}
	return mounted, nil
}

// leftCopies reads the copies that only pods mount: an operation that could not be undone leaves such.
func (x *Executor) leftCopies(ctx context.Context, db engines.Database, workloads map[string]*appsv1.StatefulSet) ([]certs.Copy, error) {
	var copies []certs.Copy
	read := map[string]bool{}
	for _, set := range workloads {
		read[CopyOf(db.GetName(), set)] = true
	}
	for _, set := range workloads {
		pods, err := x.Cluster.Pods(ctx, db, set.Name)
		if err != nil {
			return nil, err
		}
		for i := range pods {
			name := CopyIn(db.GetName(), pods[i].Spec)
			if read[name] || name == "" {
				continue
			}
			read[name] = true
			secret, err := x.liveSecret(ctx, db.GetNamespace(), name)
			if err != nil {
				return nil, err
			}
			if secret != nil && metav1.IsControlledBy(secret, db) {
				copies = append(copies, secret.Data)
			}
		}
	}
	return copies, nil
}

// recordName is the name of the ControllerRevision that holds the names of the copies.
func recordName(r ops.Request) string {
	return r.RevisionName() + "-tls"
}

// record notes the names once. An older note stays if everything that it names exists: pods may mount it already. One
// that names what was never made is from a pass that crashed before it was made, and a renewal came in between.
func (x *Executor) record(ctx context.Context, t *Target, names *Copies) error {
	revision, err := newRecord(t, names)
	if err != nil {
		return err
	}
	err = x.Client.Create(ctx, revision, apply.FieldOwner)
	if err == nil {
		t.Saved.Copies = names
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("recording the copies: %w", err)
	}
	existing, uid, err := readRecord(ctx, x.Apply.Live, t)
	if err != nil {
		return err
	}
	if existing == nil {
		return errors.New("the record of the copies appeared and is gone again")
	}
	whole := existing.equal(names)
	if !whole {
		whole, err = x.exist(ctx, t, existing)
	}
	if whole || err != nil {
		t.Saved.Copies = existing
		return err
	}
	revision.UID = uid
	if err := apply.DeleteExact(ctx, x.Client, revision); err != nil {
		return fmt.Errorf("recording the copies anew: %w", err)
	}
	return errors.New("the certificates were renewed while they were copied; once more")
}

func newRecord(t *Target, names *Copies) (*appsv1.ControllerRevision, error) {
	raw, err := json.Marshal(struct {
		Request any     `json:"request"`
		Copies  *Copies `json:"copies"`
	}{t.Saved.Request, names})
	if err != nil {
		return nil, fmt.Errorf("recording the copies: %w", err)
	}
	db := t.Database.Object
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name: recordName(t.Request), Namespace: db.GetNamespace(),
			Labels:          map[string]string{opsv1.LabelKind: t.Request.Kind, engines.LabelInstance: db.GetName()},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(db, t.Engine.Kind().Database)},
		},
		Revision: 2,
		Data:     runtime.RawExtension{Raw: raw},
	}, nil
}

// exist tells whether every copy of a record is there.
func (x *Executor) exist(ctx context.Context, t *Target, c *Copies) (bool, error) {
	for _, name := range c.names() {
		secret, err := x.liveSecret(ctx, t.Database.Object.GetNamespace(), name)
		if err != nil || secret == nil {
			return false, err
		}
	}
	return true, nil
}
