package steps

import (
	"context"
	"encoding/json"
	"fmt"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/ops"
)

// End is how an operation ends.
type End struct {
	Outcome         kubedbv1.OperationOutcome
	Reason, Message string
}

// pause closes the gate. It commits before anything else happens, with the resource version that the plan was made
// from, and is asserted again on each pass.
func (x *Executor) pause(ctx context.Context, t *Target) (ops.Outcome, error) {
	status := t.Database.Object.DatabaseStatus()
	if journal.Holds(status, t.Request) {
		return done("the database is paused"), nil
	}
	if _, byUser := journal.Paused(status); byUser {
		return waiting(opsv1.ReasonDatabasePaused, "someone else paused the database; the operation goes on once that pause is removed"), nil
	}
	t.Database.Pause(t.Request)
	if err := t.Database.Commit(ctx); err != nil {
		return ops.Outcome{}, err
	}
	return done("the database is paused"), nil
}

// resume opens the gate if it is this request's, and notes the outcome on the database.
func (x *Executor) resume(ctx context.Context, t *Target) (ops.Outcome, error) {
	t.Database.Resume(t.Request, t.End.Outcome, t.End.Reason, t.End.Message)
	if err := t.Database.Commit(ctx); err != nil {
		return ops.Outcome{}, err
	}
	return done("the database is resumed"), nil
}

// editDatabase writes the difference between the two saved specs to the database, unless it is there.
func (x *Executor) editDatabase(ctx context.Context, t *Target, to ops.Side) (ops.Outcome, error) {
	patch, err := t.Saved.specPatch(to)
	if err != nil {
		return ops.Outcome{}, err
	}
	db := t.Database.Object
	current, err := SpecOf(db)
	if err != nil {
		return ops.Outcome{}, err
	}
	wanted, err := jsonpatch.MergePatch(current, patch)
	if err != nil {
		return ops.Outcome{}, fmt.Errorf("merging the saved change into the spec: %w", err)
	}
	if jsonpatch.Equal(current, wanted) {
		return done("the spec is as requested"), nil
	}
	if err := x.confirm(ctx, t); err != nil {
		return ops.Outcome{}, err
	}
	body := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q},"spec":%s}`, db.GetResourceVersion(), patch)
	if err := t.Database.Patch(ctx, client.RawPatch(types.MergePatchType, body), apply.FieldOwner); err != nil {
		return ops.Outcome{}, err
	}
	return done("the spec is as requested"), nil
}

// SpecOf returns the spec of a database as JSON.
func SpecOf(db engines.Database) (json.RawMessage, error) {
	raw, err := json.Marshal(db)
	if err != nil {
		return nil, fmt.Errorf("marshalling the database: %w", err)
	}
	var object struct {
		Spec json.RawMessage `json:"spec"`
	}
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("reading the spec: %w", err)
	}
	return object.Spec, nil
}
