// Package steps acts: it carries out one action of a plan and says what it found. It decides nothing about order.
package steps

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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
}

// Target is what one pass of one operation works on.
type Target struct {
	Engine   engines.Engine
	Database *journal.Database
	Request  ops.Request
	Saved    *Saved
	// Side is where the operation is heading: After, or Before while it is being undone.
	Side ops.Side
	// End is how the operation ends if this plan runs to its end.
	End End
}

// Do looks, acts if something is left to do, and says what it found. An error is a surprise: the caller backs off.
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
	case ops.IssueCertificates, ops.RemoveCertificates:
		return ops.Outcome{}, fmt.Errorf("action %T is not carried out by this version", a)
	}
	return ops.Outcome{}, fmt.Errorf("unknown action %T", action)
}

// group is what one look at a group of pods sees.
type group struct {
	ops.Group
	live *appsv1.StatefulSet // nil when there is none
	pods []corev1.Pod
}

// look reads a group from the watch caches.
func (x *Executor) look(ctx context.Context, t *Target, name string) (group, error) {
	g, ok := t.Saved.Topology.Group(name)
	if !ok {
		return group{}, fmt.Errorf("the saved revision has no group %q", name)
	}
	db := t.Database.Object
	live, err := x.Cluster.Workload(ctx, db, g.Workload)
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
