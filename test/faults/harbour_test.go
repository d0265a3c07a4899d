//go:build lab && faults

package faults

import (
	"context"
	"fmt"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/cmd/drydock/operator"
	"github.com/drydock-db/drydock/test/framework"
	"github.com/drydock-db/drydock/test/petset/standin"
)

// patience is how long anything may take that has to happen: a busy machine is slow.
const patience = 150 * time.Second

// harbour is the lab, as this suite uses it.
type harbour struct {
	lab *framework.Lab
	// who the suite is to the API server.
	who authenticationv1.UserInfo
	// operator is the configuration of operators: the rights of the operator's ServiceAccount, and no more.
	operator *rest.Config
	// undertaker may delete a paused database, as the controller may that empties namespaces.
	undertaker client.Client
	// cluster is shared by all operators: discovery costs more than a case.
	cluster *operator.Cluster
	// petSets is the same for operators that make PetSets.
	petSets *operator.Cluster
}

// open connects to the lab. That of other suites will not do: it has webhooks, and an operator that looks after every
// namespace.
func open(t *testing.T) *harbour {
	t.Helper()
	ctx := t.Context()
	lab, err := framework.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var webhooks admissionregistrationv1.ValidatingWebhookConfigurationList
	if err := lab.Client.List(ctx, &webhooks); err != nil {
		t.Fatal(err)
	}
	if len(webhooks.Items) > 0 {
		t.Fatalf("the lab in %s has webhooks: `make test-faults` starts one without", lab.Dir)
	}
	h := &harbour{lab: lab, operator: rest.CopyConfig(lab.Config)}
	h.operator.Impersonate = rest.ImpersonationConfig{
		UserName: framework.OperatorUser,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:drydock-system", "system:authenticated"},
	}
	if err := h.introduce(ctx); err != nil {
		t.Fatal(err)
	}
	return h
}

// introduce finds out what every case needs to know.
func (h *harbour) introduce(ctx context.Context) error {
	self := &authenticationv1.SelfSubjectReview{}
	if err := h.lab.Client.Create(ctx, self); err != nil {
		return fmt.Errorf("asking for the suite's own name: %w", err)
	}
	h.who = self.Status.UserInfo
	var err error
	if h.cluster, err = operator.Connect(h.lab.Config, false); err != nil {
		return err
	}
	if h.petSets, err = operator.Connect(h.lab.Config, true); err != nil {
		return err
	}
	if err := standin.Start(ctx, h.lab.Config, framework.Scheme()); err != nil {
		return err
	}
	if err := h.found(ctx); err != nil {
		return err
	}
	if err := standin.Known(ctx, h.lab.Client, authorities, patience); err != nil {
		return err
	}
	h.undertaker, err = h.lab.As("system:serviceaccount:kube-system:namespace-controller",
		"system:serviceaccounts", "system:serviceaccounts:kube-system")
	return err
}
