// Package webhooks serves admission to the API server: two types for all kinds, and a plain HTTP handler that decodes a
// review once and answers it. What is decided is decided in package admit.
package webhooks

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// Database defaults and validates databases of the engine's kind.
type Database struct {
	Engine    engines.Engine
	Admission *admit.Admission
}

// Default sets defaults; old is nil unless it is an edit. An edit that leaves the spec alone is left alone too: somebody who adds a label to an object that
// was stored under older defaults must not change its spec by that. It tells whether defaults were set.
func (d Database) Default(db, old engines.Database) bool {
	if db.GetDeletionTimestamp() != nil {
		return false
	}
	if old == nil {
		controllerutil.AddFinalizer(db, kubedbv1.Finalizer)
	} else if admit.SameSpec(db, old) {
		return false
	}
	d.Engine.Default(db)
	return true
}

func (d Database) decide(ctx context.Context, db, old engines.Database, who authenticationv1.UserInfo) ([]string, error) {
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
