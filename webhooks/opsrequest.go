package webhooks

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// OpsRequest defaults and validates requests about databases of one kind. T is the kind's type, or engines.OpsRequest
// for whichever kind the engine is of.
type OpsRequest[T engines.OpsRequest] struct {
	Engine    engines.Engine
	Admission *admit.Admission
}

var (
	_ admission.Defaulter[engines.OpsRequest] = OpsRequest[engines.OpsRequest]{}
	_ admission.Validator[engines.OpsRequest] = OpsRequest[engines.OpsRequest]{}
)

// defaultRetries is how often a failed step is tried again when the request does not say.
const defaultRetries int32 = 1

// Default implements admission.Defaulter; the request comes with the context.
func (o OpsRequest[T]) Default(ctx context.Context, r T) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return err
	}
	old, err := decodeOld(req, o.Engine.Kind().NewRequest)
	if err != nil {
		return err
	}
	return o.fill(r, old, req.UserInfo)
}

// fill completes a new request: defaults, the finalizer that has a running operation undone before the request is gone,
// and who asks. An edit is left alone, since nothing in a request's spec can change. The timeout has no default here:
// it depends on the number of pods.
func (o OpsRequest[T]) fill(r T, old engines.OpsRequest, who authenticationv1.UserInfo) error {
	if old != nil {
		return nil
	}
	spec := r.RequestSpec()
	if spec.Apply == "" {
		spec.Apply = opsv1.ApplyIfReady
	}
	if spec.MaxRetries == nil {
		spec.MaxRetries = new(defaultRetries)
	}
	controllerutil.AddFinalizer(r, opsv1.Finalizer)
	return admit.StampRequester(r, who)
}

// ValidateCreate implements admission.Validator.
func (o OpsRequest[T]) ValidateCreate(ctx context.Context, r T) (admission.Warnings, error) {
	return o.validate(ctx, r, nil)
}

// ValidateUpdate implements admission.Validator.
func (o OpsRequest[T]) ValidateUpdate(ctx context.Context, old, r T) (admission.Warnings, error) {
	return o.validate(ctx, r, old)
}

// ValidateDelete implements admission.Validator; deleting a request cancels it, which everybody with the right may do.
func (o OpsRequest[T]) ValidateDelete(context.Context, T) (admission.Warnings, error) {
	return nil, nil
}

func (o OpsRequest[T]) validate(ctx context.Context, r T, old engines.OpsRequest) (admission.Warnings, error) {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return nil, err
	}
	return o.decide(ctx, r, old, req.UserInfo)
}

func (o OpsRequest[T]) decide(ctx context.Context, r T, old engines.OpsRequest, who authenticationv1.UserInfo) (admission.Warnings, error) {
	verdict, err := o.Admission.Request(ctx, o.Engine, r, old, who)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	return verdict.Warnings, invalid(o.Engine.Kind().Request.GroupKind(), r.GetName(), verdict.Errors)
}
