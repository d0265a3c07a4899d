package apply

import (
	"context"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Memory remembers the resource version of this process's last write to each object, until the cache has caught up.
// The zero value is empty.
type Memory struct {
	written sync.Map // types.UID → string
}

// Stale tells whether the cached object is older than what this process last wrote to it. Acting on such a copy would
// do finished work again, or take for done what is not; the watch will bring the newer one.
func (m *Memory) Stale(o metav1.Object) bool {
	last, ok := m.written.Load(o.GetUID())
	if !ok {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(o.GetResourceVersion(), last.(string))
	if err == nil && order < 0 {
		return true
	}
	m.written.Delete(o.GetUID())
	return false
}

// Wrote notes that this process changed the object, so that older cached copies are recognised.
func (m *Memory) Wrote(o metav1.Object) { m.written.Store(o.GetUID(), o.GetResourceVersion()) }

// Forget drops what is remembered of an object that is gone.
func (m *Memory) Forget(uid types.UID) { m.written.Delete(uid) }

// BehindError says that the caches do not show yet what there is. A watch will wake whoever waits; it is no failure.
type BehindError struct {
	// What is behind, with its kind.
	What string
}

func (e *BehindError) Error() string { return "the caches are behind: " + e.What }

// Seen returns a BehindError when the cached workload is older than what was last written to it.
func (a *Applier) Seen(workload metav1.Object) error {
	if !a.memory.Stale(workload) {
		return nil
	}
	return a.behind(workload)
}

// Forget drops what is remembered of a workload that goes.
func (a *Applier) Forget(workload types.UID) { a.memory.Forget(workload) }

func (a *Applier) behind(workload metav1.Object) error {
	return &BehindError{What: a.Workloads.Kind() + " " + workload.GetName()}
}

// LatestFor is how long an object that was the API server's stays so, for all that others may do: less than it takes another
// operator to get the lease of this one (15 s). An operator that slept longer asks again.
const LatestFor = 5 * time.Second

// Latest returns a BehindError when the cached workload asks for something else than the API server's. It asks the API server,
// unless it did so a moment ago: what another operator wrote since can only be there if that one had the lease.
func (a *Applier) Latest(ctx context.Context, seen *appsv1.StatefulSet, now time.Time) error {
	if a.latest.Since(seen.UID, now, LatestFor) {
		return nil
	}
	live, err := a.Workloads.Get(ctx, a.Live, client.ObjectKeyFromObject(seen))
	switch {
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("reading %s once more: %w", describe(a.Client, a.Workloads.Object(seen)), err)
	case err != nil, live.UID != seen.UID, live.Generation != seen.Generation:
		return a.behind(seen)
	}
	a.latest.Note(seen.UID, now, LatestFor)
	return nil
}

// Recent remembers when something was last done about each object, for as long as that matters. The zero value is empty.
type Recent struct {
	at sync.Map // types.UID → time.Time
}

// Since tells whether it was done about the object within that time.
func (r *Recent) Since(uid types.UID, now time.Time, within time.Duration) bool {
	at, ok := r.at.Load(uid)
	if !ok {
		return false
	}
	// By the wall clock: the other one stands still while the machine sleeps.
	passed := now.Round(0).Sub(at.(time.Time).Round(0))
	return passed >= 0 && passed < within
}

// Note says that it was done now, and forgets what does not matter any more.
func (r *Recent) Note(uid types.UID, now time.Time, within time.Duration) {
	r.at.Range(func(old, _ any) bool {
		if !r.Since(old.(types.UID), now, within) {
			r.at.Delete(old)
		}
		return true
	})
	r.at.Store(uid, now)
}
