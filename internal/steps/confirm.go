package steps

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/internal/apply"
)

// confirm asks the API server whether the request still is as this pass has read it, and returns a BehindError when it
// is not. Watch caches move one by one: an operator that was held up, and that another has replaced meanwhile, wakes to a
// workload of today and a request of yesterday, and would carry out once more what is done and over. What is written next
// has to name the version of what was seen before this question; so whoever acts in between is found out too.
func (x *Executor) confirm(ctx context.Context, t *Target) error {
	live := t.Engine.Kind().NewRequest()
	key := client.ObjectKey{Namespace: t.Database.Object.GetNamespace(), Name: t.Request.Name}
	err := x.Apply.Live.Get(ctx, key, live)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("reading the request once more: %w", err)
	case err != nil, live.GetUID() != t.Request.UID, live.GetResourceVersion() != t.Version:
		return &apply.BehindError{What: t.Request.Kind + " " + t.Request.Name}
	}
	return nil
}
