package webhooks

import (
	"context"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// Handlers are the webhooks of all kinds by path.
func Handlers(kinds []engines.Engine, a *admit.Admission) map[string]http.Handler {
	all := map[string]http.Handler{}
	for _, e := range kinds {
		kind := e.Kind()
		databases := Database{Engine: e, Admission: a}
		requests := OpsRequest{Engine: e, Admission: a}
		all["/mutate-"+slug(kind.Database)] = handler[engines.Database]{kind: kind.Database, create: kind.NewDatabase, mutates: true, decide: databases.mutate}
		all["/validate-"+slug(kind.Database)] = handler[engines.Database]{kind: kind.Database, create: kind.NewDatabase, decide: databases.judge}
		all["/mutate-"+slug(kind.Request)] = handler[engines.OpsRequest]{kind: kind.Request, create: kind.NewRequest, mutates: true, decide: requests.mutate}
		all["/validate-"+slug(kind.Request)] = handler[engines.OpsRequest]{kind: kind.Request, create: kind.NewRequest, decide: requests.judge}
	}
	return all
}

// slug is a kind as it is written in paths: kubedb-com-v1-perconaxtradb.
func slug(kind schema.GroupVersionKind) string {
	return strings.ReplaceAll(kind.Group, ".", "-") + "-" + kind.Version + "-" + strings.ToLower(kind.Kind)
}

func (d Database) mutate(_ context.Context, _ *question, db, old engines.Database, body []byte) answer {
	before, warnings := db.DeepCopyObject(), admit.Older(d.Engine, db)
	if d.Default(db, old) {
		return patched(body, before, db, warnings...)
	}
	return patched(body, before, db)
}

func (d Database) judge(ctx context.Context, q *question, db, old engines.Database, _ []byte) answer {
	warnings, err := d.decide(ctx, db, old, q.UserInfo)
	return answer{warnings: warnings, err: err}
}

func (o OpsRequest) mutate(_ context.Context, q *question, r, old engines.OpsRequest, body []byte) answer {
	before := r.DeepCopyObject()
	if err := o.Default(r, old, q.UserInfo); err != nil {
		return answer{err: err}
	}
	return patched(body, before, r)
}

func (o OpsRequest) judge(ctx context.Context, q *question, r, old engines.OpsRequest, _ []byte) answer {
	warnings, err := o.decide(ctx, r, old, q.UserInfo)
	return answer{warnings: warnings, err: err}
}

func patched(body []byte, before, after any, warnings ...string) answer {
	p, err := patch(body, before, after)
	return answer{patch: p, err: err, warnings: warnings}
}
