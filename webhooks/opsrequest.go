package webhooks

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// OpsRequest defaults and validates requests about databases of the engine's kind.
type OpsRequest struct {
	Engine    engines.Engine
	Admission *admit.Admission
}

// Default completes a new request: defaults, the finalizer that has a running operation undone before the request is
// gone, and who asks. An edit, for which old is not nil, is left alone, since nothing in a request's spec can change. The
// timeout has no default here: it depends on the number of pods.
func (o OpsRequest) Default(r, old engines.OpsRequest, who authenticationv1.UserInfo) error {
	if old != nil {
		return nil
	}
	spec := r.RequestSpec()
	if spec.Apply == "" {
		spec.Apply = opsv1.ApplyIfReady
	}
	if spec.MaxRetries == nil {
		spec.MaxRetries = new(engines.DefaultRetries)
	}
	controllerutil.AddFinalizer(r, opsv1.Finalizer)
	return admit.StampRequester(r, who)
}

func (o OpsRequest) decide(ctx context.Context, r, old engines.OpsRequest, who authenticationv1.UserInfo) ([]string, error) {
	verdict, err := o.Admission.Request(ctx, o.Engine, r, old, who)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	return verdict.Warnings, invalid(o.Engine.Kind().Request.GroupKind(), r.GetName(), verdict.Errors)
}
