package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// Patience is how long an issuance may take before it is worth asking why. cert-manager takes a second or two.
const Patience = 3 * time.Second

// issueCertificates asks cert-manager for the certificates of that side, and on the way forward waits for them and makes
// the copies that pods mount. On the way back nobody waits: the pods mount what they mounted before.
func (x *Executor) issueCertificates(ctx context.Context, t *Target, to ops.Side) (ops.Outcome, error) {
	if t.Saved.TLS == nil {
		return ops.Outcome{}, errors.New("the saved revision knows of no certificates")
	}
	db, err := t.databaseAt(to)
	if err != nil {
		return ops.Outcome{}, err
	}
	objects := CertificateObjects(t.Engine, db)
	wrote, err := x.ApplyCertificates(ctx, t.Database.Object, objects, func() error { return x.confirm(ctx, t) })
	var foreign *apply.ForeignError
	switch {
	case errors.As(err, &foreign):
		return failed(ReasonNameTaken, "%s", foreign.Error()), nil
	case err != nil:
		return ops.Outcome{}, err
	case to == ops.Before:
		return done("the certificates are asked for as they were before"), nil
	case wrote:
		return x.awaiting(t), nil // the watch shows them
	}
	leaves, err := x.Leaves(ctx, x.Client, t.Database.Object, objects)
	if err != nil {
		return ops.Outcome{}, err
	}
	if out, err := x.issue(ctx, t, objects, leaves); err != nil || !out.IsDone() {
		return out, err
	}
	return x.mount(ctx, t, leaves)
}

// awaiting is one text for as long as all goes well, so that each certificate costs no status write of its own.
func (x *Executor) awaiting(t *Target) ops.Outcome {
	return waiting(ReasonIssuing, "waiting for cert-manager to issue the certificates %s", strings.Join(t.Saved.TLS.Certificates, ", "))
}

// issue looks how far each certificate is, and triggers those that cert-manager does not issue by itself. One that has
// failed ends the attempt before another one is triggered.
func (x *Executor) issue(ctx context.Context, t *Target, objects certs.Objects, leaves []certs.Leaf) (ops.Outcome, error) {
	var pending, trigger []certs.Leaf
	for i, leaf := range leaves {
		if leaf.Certificate == nil {
			pending = append(pending, objects.Leaves[i])
			continue
		}
		progress, why := certs.Look(leaf.Certificate, t.Saved.TLS.Records[leaf.Alias], t.Attempts)
		switch progress {
		case certs.Failed:
			return failed(ReasonIssuanceFailed, "certificate %s: %s", leaf.Alias, why), nil
		case certs.Trigger:
			trigger = append(trigger, leaf)
			pending = append(pending, leaf)
		case certs.Waiting:
			pending = append(pending, leaf)
		case certs.Issued:
		}
	}
	if rest := x.rest(trigger); rest > 0 {
		out := x.awaiting(t)
		out.After = rest
		return out, nil
	}
	for _, leaf := range trigger {
		if err := x.trigger(ctx, leaf.Certificate, fmt.Sprintf("issued again for %s %s", t.Request.Kind, t.Request.Name)); err != nil {
			return ops.Outcome{}, err
		}
	}
	if len(pending) == 0 {
		return done("the certificates %s are issued", strings.Join(t.Saved.TLS.Certificates, ", ")), nil
	}
	return x.explain(ctx, t, objects, pending)
}

// rest is how long certificates that failed have to wait before they can be triggered. cert-manager tells a failure of the
// last attempt from one of this attempt by their times, which are kept in whole seconds.
func (x *Executor) rest(leaves []certs.Leaf) (longest time.Duration) {
	for _, leaf := range leaves {
		if at := leaf.Certificate.Status.LastFailureTime; at != nil {
			longest = max(longest, at.Add(time.Second).Sub(x.now()))
		}
	}
	return longest
}

// trigger asks for one issuance. The resource version goes along: if the Certificate has changed since it was looked at,
// somebody else may have asked already.
func (x *Executor) trigger(ctx context.Context, c *cmv1.Certificate, why string) error {
	asked := certs.Triggered(c, why, metav1.NewTime(x.now().Truncate(time.Second)))
	patch := client.MergeFromWithOptions(c, client.MergeFromWithOptimisticLock{})
	if err := x.Client.Status().Patch(ctx, asked, patch, apply.FieldOwner); err != nil {
		return fmt.Errorf("asking for certificate %s: %w", c.Name, err)
	}
	return nil
}

// explain says what the certificates wait for, once they take longer than usual.
func (x *Executor) explain(ctx context.Context, t *Target, objects certs.Objects, pending []certs.Leaf) (ops.Outcome, error) {
	out := x.awaiting(t)
	leaf := pending[0]
	if left := Patience - x.now().Sub(since(leaf.Certificate)); left > 0 {
		out.After = left
		return out, nil
	}
	why, err := x.WhyNotReady(ctx, t.Database.Object, objects, leaf)
	out.Message += ": " + why
	return out, err
}

// since is when the present issuance of a Certificate began, or the Certificate itself.
func since(c *cmv1.Certificate) time.Time {
	if at := certs.Issuing(c); at != nil {
		return at.Time
	}
	return c.CreationTimestamp.Time
}
