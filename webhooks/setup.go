package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// Setup serves the webhooks of all kinds on the manager's webhook server.
func Setup(mgr ctrl.Manager, kinds []engines.Engine, a *admit.Admission) error {
	if len(kinds) == 0 {
		return errors.New("there are no kinds to serve webhooks for")
	}
	for path, h := range Handlers(kinds, a) {
		mgr.GetWebhookServer().Register(path, h)
	}
	return nil
}

// Handlers are the webhooks of all kinds by path.
func Handlers(kinds []engines.Engine, a *admit.Admission) map[string]http.Handler {
	all := map[string]http.Handler{}
	for _, e := range kinds {
		kind := e.Kind()
		databases := Database[engines.Database]{Engine: e, Admission: a}
		requests := OpsRequest[engines.OpsRequest]{Engine: e, Admission: a}
		all["/mutate-"+slug(kind.Database)] = handler[engines.Database]{create: kind.NewDatabase, raw: true, decide: databases.mutate}
		all["/validate-"+slug(kind.Database)] = handler[engines.Database]{create: kind.NewDatabase, decide: databases.judge}
		all["/mutate-"+slug(kind.Request)] = handler[engines.OpsRequest]{create: kind.NewRequest, raw: true, decide: requests.mutate}
		all["/validate-"+slug(kind.Request)] = handler[engines.OpsRequest]{create: kind.NewRequest, decide: requests.judge}
	}
	return all
}

// slug is a kind as it is written in paths: kubedb-com-v1-perconaxtradb.
func slug(kind schema.GroupVersionKind) string {
	return strings.ReplaceAll(kind.Group, ".", "-") + "-" + kind.Version + "-" + strings.ToLower(kind.Kind)
}

func (d Database[T]) mutate(ctx context.Context, _ *question, db, old T, body []byte) answer {
	before, warnings := db.DeepCopyObject(), admit.Older(d.Engine, db)
	if d.fill(ctx, db, present(old)) {
		return patched(body, before, db, warnings...)
	}
	return patched(body, before, db)
}

func (d Database[T]) judge(ctx context.Context, q *question, db, old T, _ []byte) answer {
	warnings, err := d.decide(ctx, db, present(old), q.UserInfo)
	return answer{warnings: warnings, err: err}
}

func (o OpsRequest[T]) mutate(_ context.Context, q *question, r, old T, body []byte) answer {
	before := r.DeepCopyObject()
	if err := o.fill(r, presentRequest(old), q.UserInfo); err != nil {
		return answer{err: err}
	}
	return patched(body, before, r)
}

func (o OpsRequest[T]) judge(ctx context.Context, q *question, r, old T, _ []byte) answer {
	warnings, err := o.decide(ctx, r, presentRequest(old), q.UserInfo)
	return answer{warnings: warnings, err: err}
}

func patched(body []byte, before, after any, warnings ...string) answer {
	p, err := patch(body, before, after)
	return answer{patch: p, err: err, warnings: warnings}
}

// present and presentRequest make an absent object a nil interface whatever T is.
func present[T engines.Database](db T) engines.Database {
	if any(db) == nil {
		return nil
	}
	return db
}

func presentRequest[T engines.OpsRequest](r T) engines.OpsRequest {
	if any(r) == nil {
		return nil
	}
	return r
}

// write sends a review with the response.
func write(w http.ResponseWriter, review *verdict) {
	// An error here means that the API server hung up; it will not hear of it either way.
	_ = json.NewEncoder(w).Encode(review)
}
