// Package steps acts: it carries out one action of a plan and says what it found. It decides nothing about order.
package steps

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/ops"
)

// Executor carries out actions.
type Executor struct {
	// Client reads from watch caches and writes to the API server.
	Client client.Client
	Apply  *apply.Applier
	// Cluster reads what belongs to a database.
	Cluster *Cluster
	// now is the clock.
	now func() time.Time

	// stopped are the pods that were told to leave, which the cache may not show yet.
	stopped apply.Recent
	// evicted says when a pod of a workload was last let go, settled at which generation applying a workload changed nothing; both
	// by UID. What is forgotten costs a look, or a pod the time that nobody was there.
	evicted, settled *cache.LRUExpireCache
}

const (
	// rememberFor is longer than any pod takes, and rememberAll more workloads than are worked on at a time.
	rememberFor = 24 * time.Hour
	rememberAll = 4096
)

// NewExecutor returns one that has done nothing yet.
func NewExecutor(c client.Client, a *apply.Applier, cluster *Cluster, now func() time.Time) *Executor {
	return &Executor{Client: c, Apply: a, Cluster: cluster, now: now,
		evicted: cache.NewLRUExpireCache(rememberAll), settled: cache.NewLRUExpireCache(rememberAll)}
}

// Target is what one pass of one operation works on.
type Target struct {
	Engine   engines.Engine
	Database *journal.Database
	Request  ops.Request
	// Version is the resource version of the request as this pass knows it.
	Version string
	Saved   *Saved
	// Since is when the first step of the plan began, or was done: what the cluster said before is not about this plan.
	Since time.Time
	// Attempts is how often a failed step of the operation was tried again.
	Attempts int
	// Tried is when the present step was begun once more; zero at its first try.
	Tried time.Time
	// Side is where the operation is heading: After, or Before while it is being undone.
	Side ops.Side
	// End is how the operation ends if this plan runs to its end.
	End End
}

// Try says that a step, which began then, is tried for the first time, or has been before so often.
func (t *Target) Try(attempts int, began time.Time) {
	t.Attempts, t.Tried = attempts, time.Time{}
	if attempts > 0 {
		t.Tried = began
	}
}

// Do looks, acts if something is left to do, and says what it found. An error is a surprise: the caller backs off.
//
//nolint:gocyclo // the one switch over the closed set of actions
func (x *Executor) Do(ctx context.Context, t *Target, action ops.Action) (ops.Outcome, error) {
	switch a := action.(type) {
	case ops.Pause:
		return x.pause(ctx, t)
	case ops.Resume:
		return x.resume(ctx, t)
	case ops.EditDatabase:
		return x.editDatabase(ctx, t, a.To)
	case ops.ApplyObjects:
		return x.applyObjects(ctx, t, a)
	case ops.RollPods:
		return x.rollPods(ctx, t, a)
	case ops.Verify:
		return x.verify(ctx, t, a)
	case ops.ExpandVolumes:
		return x.expandVolumes(ctx, t, a)
	case ops.DetachWorkload:
		return x.detachWorkload(ctx, t, a)
	case ops.StopPod:
		return x.stopPod(ctx, t, a)
	case ops.StartPod:
		return x.startPod(ctx, t, a)
	case ops.AwaitPods:
		return x.awaitPods(ctx, t, a)
	case ops.IssueCertificates:
		return x.issueCertificates(ctx, t, a.To)
	case ops.RemoveCertificates:
		return x.removeCertificates(ctx, t)
	}
	return ops.Outcome{}, fmt.Errorf("unknown action %T", action)
}

// group is what one look at a group of pods sees.
type group struct {
	ops.Group
	live *appsv1.StatefulSet // nil when there is none
	pods []corev1.Pod
}

// look reads a group from the watch caches. It returns a BehindError while they do not show what was last written to the
// workload, for then the pods that are seen say nothing.
func (x *Executor) look(ctx context.Context, t *Target, name string) (group, error) {
	g, ok := t.Saved.Topology.Group(name)
	if !ok {
		return group{}, fmt.Errorf("the saved revision has no group %q", name)
	}
	db := t.Database.Object
	live, err := x.Cluster.Workload(ctx, db, g.Workload)
	if err == nil && live != nil {
		err = x.Apply.Seen(live)
	}
	if err != nil {
		return group{}, err
	}
	pods, err := x.Cluster.Pods(ctx, db, g.Workload)
	return group{Group: g, live: live, pods: pods}, err
}

func waiting(reason, format string, args ...any) ops.Outcome {
	return ops.Outcome{Status: ops.Waiting, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func failed(reason, format string, args ...any) ops.Outcome {
	return ops.Outcome{Status: ops.Failed, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func done(format string, args ...any) ops.Outcome {
	return ops.Outcome{Status: ops.Done, Message: fmt.Sprintf(format, args...)}
}
