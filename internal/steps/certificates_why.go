package steps

import (
	"context"
	"fmt"
	"strings"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/engines"
)

// WhyNotReady says in cert-manager's words what a certificate waits for. It looks at what it depends on first: a
// certificate whose issuer cannot sign says only that it is being issued.
func (x *Executor) WhyNotReady(ctx context.Context, owner engines.Database, o certs.Objects, leaf certs.Leaf) (string, error) {
	if o.Authority != nil {
		authority, err := certificate(ctx, x.Client, owner, o.Authority)
		if err != nil {
			return "", err
		}
		if authority != nil && !certs.Ready(authority) {
			return fmt.Sprintf("the managed authority %s is not ready: %s", authority.Name, certs.Account(authority)), nil
		}
	}
	if why, err := x.issuerProblem(ctx, leaf.Certificate); err != nil || why != "" {
		return why, err
	}
	return fmt.Sprintf("certificate %s: %s", leaf.Alias, certs.Account(leaf.Certificate)), nil
}

// issuerProblem says why the issuer of a Certificate cannot sign; empty if it can, or if that cannot be told.
func (x *Executor) issuerProblem(ctx context.Context, c *cmv1.Certificate) (string, error) {
	ref := c.Spec.IssuerRef
	if ref.Group != "" && ref.Group != cmv1.SchemeGroupVersion.Group {
		return "", nil
	}
	issuer, key := cmv1.GenericIssuer(&cmv1.Issuer{}), client.ObjectKey{Namespace: c.Namespace, Name: ref.Name}
	if ref.Kind == cmv1.ClusterIssuerKind {
		issuer, key.Namespace = &cmv1.ClusterIssuer{}, ""
	}
	err := x.Client.Get(ctx, key, issuer)
	if apierrors.IsNotFound(err) {
		return fmt.Sprintf("there is no %s %s", ref.Kind, ref.Name), nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s %s: %w", ref.Kind, ref.Name, err)
	}
	why := ""
	for _, condition := range issuer.GetStatus().Conditions {
		if condition.Type != cmv1.IssuerConditionReady {
			continue
		}
		if condition.Status == cmmeta.ConditionTrue {
			return "", nil
		}
		why = ": " + strings.TrimSuffix(condition.Message, ".")
	}
	return fmt.Sprintf("%s %s is not ready%s", ref.Kind, ref.Name, why), nil
}
