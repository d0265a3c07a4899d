package admit

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/journal"
)

// checkGate refuses an edit of the spec while the database is paused. A policy in the API server refuses it as well;
// here is where the message can say who holds the database and how to get it back.
func (a *Admission) checkGate(ctx context.Context, e engines.Engine, old engines.Database) field.ErrorList {
	status := old.DatabaseStatus()
	paused, byUser := journal.Paused(status)
	if !paused {
		return nil
	}
	kind, where := e.Kind(), "-n "+old.GetNamespace()
	at, message, reason := 0, "", ""
	for i, c := range status.Conditions {
		if c.Type == kubedbv1.ConditionPaused {
			at, message, reason = i, strings.TrimSuffix(c.Message, "."), c.Reason
		}
	}
	if byUser {
		return field.ErrorList{field.Forbidden(specPath, fmt.Sprintf(
			`somebody paused this %s (%s: %s): its spec cannot change until they resume it. To resume: kubectl patch %s.%s %s %s --subresource=status --type=json -p `+
				`'[{"op":"test","path":"/status/conditions/%d/type","value":"Paused"},{"op":"remove","path":"/status/conditions/%d"}]'`,
			kind.Database.Kind, reason, message, kind.DatabaseResource, kind.Database.Group, old.GetName(), where, at, at))}
	}
	return field.ErrorList{field.Forbidden(specPath, fmt.Sprintf(
		"this %s is paused: %s. Its spec can change again once that request is done, or cancelled, which puts the database back: kubectl delete %s.%s %s %s",
		kind.Database.Kind, message, kind.RequestResource, kind.Request.Group, a.holder(ctx, e, old), where))}
}

// holder is the name of the request that holds the database.
func (a *Admission) holder(ctx context.Context, e engines.Engine, db engines.Database) string {
	requests, err := reader{Admission: a, ctx: ctx, namespace: db.GetNamespace()}.siblings(e, db.GetName(), "")
	if err == nil {
		for _, r := range requests {
			if journal.Holds(db.DatabaseStatus(), r) {
				return r.Name
			}
		}
	}
	return "<its name>"
}
