package steps

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
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

// mayStop confirms the request, and returns a BehindError also when another pod of the group is not as Ready as the cache has it, or
// when the API server's claim of the pod is larger than the cached one, and large enough: the pod has been through its restart then,
// and shall not go through another. So it does when that claim is on its way out. No budget stands between this step and a second pod that is down.
func (x *Executor) mayStop(ctx context.Context, t *Target, g group, a ops.StopPod) error {
	if err := x.confirm(ctx, t); err != nil {
		return err
	}
	if err := x.othersUp(ctx, t, g, a.Pod); err != nil {
		return err
	}
	claims, err := x.claims(ctx, x.Apply.Live, t, g.Group, a.Pod)
	if err != nil {
		return err
	}
	if unusable(claims) != "" || ops.Expand(viewClaims(claims, t.Since, x.now()), t.Request.Volumes[a.Group], false).Outcome.IsDone() {
		return &apply.BehindError{What: "the claim of pod " + a.Pod}
	}
	return nil
}

// othersUp returns a BehindError when a pod of the group other than that one is Ready in the cache and not at the API server.
func (x *Executor) othersUp(ctx context.Context, t *Target, g group, name string) error {
	live, err := podsOf(ctx, x.Apply.Live, t.Engine.Kind(), t.Database.Object)
	if err != nil {
		return err
	}
	up := map[types.UID]bool{}
	for i := range live {
		up[live[i].UID] = PodUp(&live[i])
	}
	for i := range g.pods {
		if p := &g.pods[i]; p.Name != name && PodUp(p) && !up[p.UID] {
			return &apply.BehindError{What: "pod " + p.Name}
		}
	}
	return nil
}

// otherGone names a pod of the group other than that one which does not exist.
func otherGone(g group, name string) string {
	for i := range g.Replicas {
		if other := g.Pod(i); other != name && podNamed(g.pods, other) == nil {
			return other
		}
	}
	return ""
}
