// Package webhooks serves admission to the API server: two generic types for all kinds, and a plain HTTP handler that
// decodes a review once and answers it. What is decided is decided in package admit.
package webhooks

import (
	"context"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/json"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// Database defaults and validates databases of one kind. T is the kind's type, or engines.Database for whichever kind
// the engine is of.
type Database[T engines.Database] struct {
	Engine    engines.Engine
	Admission *admit.Admission
}

var (
	_ admission.Defaulter[engines.Database] = Database[engines.Database]{}
	_ admission.Validator[engines.Database] = Database[engines.Database]{}
)

// Default implements admission.Defaulter; the request comes with the context.
func (d Database[T]) Default(ctx context.Context, db T) error {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return err
	}
	old, err := decodeOld(req, d.Engine.Kind().NewDatabase)
	if err != nil {
		return err
	}
	d.fill(ctx, db, old)
	return nil
}

// fill sets defaults. An edit that leaves the spec alone is left alone too: somebody who adds a label to an object that
// was stored under older defaults must not change its spec by that. It tells whether defaults were set.
func (d Database[T]) fill(ctx context.Context, db T, old engines.Database) bool {
	if db.GetDeletionTimestamp() != nil {
		return false
	}
	if old == nil {
		controllerutil.AddFinalizer(db, kubedbv1.Finalizer)
	} else if admit.SameSpec(db, old) {
		return false
	}
	d.Engine.Default(db, d.Admission.Version(ctx, d.Engine, db))
	return true
}

// ValidateCreate implements admission.Validator.
func (d Database[T]) ValidateCreate(ctx context.Context, db T) (admission.Warnings, error) {
	return d.validate(ctx, db, nil)
}

// ValidateUpdate implements admission.Validator.
func (d Database[T]) ValidateUpdate(ctx context.Context, old, db T) (admission.Warnings, error) {
	return d.validate(ctx, db, old)
}

// ValidateDelete implements admission.Validator. Deletion is judged by a policy in the API server, never here: a webhook
// that is down must not keep a namespace from being deleted.
func (d Database[T]) ValidateDelete(context.Context, T) (admission.Warnings, error) { return nil, nil }

func (d Database[T]) validate(ctx context.Context, db T, old engines.Database) (admission.Warnings, error) {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return nil, err
	}
	return d.decide(ctx, db, old, req.UserInfo)
}

func (d Database[T]) decide(ctx context.Context, db T, old engines.Database, who authenticationv1.UserInfo) (admission.Warnings, error) {
	verdict, err := d.Admission.Database(ctx, d.Engine, db, old, who)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	return verdict.Warnings, invalid(d.Engine.Kind().Database.GroupKind(), db.GetName(), verdict.Errors)
}

// invalid is one error with all causes, so that kubectl shows every field at once.
func invalid(kind schema.GroupKind, name string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(kind, name, errs)
}

// decodeOld reads the object as it was before an edit; nil unless it is one.
func decodeOld[O any](req admission.Request, create func() O) (old O, err error) {
	if req.Operation != admissionv1.Update || len(req.OldObject.Raw) == 0 {
		return old, nil
	}
	old = create()
	if err := json.UnmarshalCaseSensitivePreserveInts(req.OldObject.Raw, old); err != nil {
		return old, apierrors.NewBadRequest("oldObject: " + err.Error())
	}
	return old, nil
}
