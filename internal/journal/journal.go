// Package journal tells: it is the only writer of status, events and operation metrics. One pass over a database
// collects what happened, and one patch per object says so.
package journal

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/drydock-db/drydock/engines"
)

// Journal writes down what happens to databases and their requests.
type Journal struct {
	Client   client.Client
	Recorder events.EventRecorder
	Metrics  *Metrics
	// Now is the clock.
	Now func() time.Time

	// written remembers the resource version of our last write to an object, until the cache has caught up.
	written sync.Map // types.UID → string
}

// Stale tells whether the cached object is older than what this process last wrote to it. Acting on such a copy would
// do finished work again; the watch will bring the newer one.
func (j *Journal) Stale(o metav1.Object) bool {
	last, ok := j.written.Load(o.GetUID())
	if !ok {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(o.GetResourceVersion(), last.(string))
	if err == nil && order < 0 {
		return true
	}
	j.written.Delete(o.GetUID())
	return false
}

// Wrote notes that this process changed the object, so that older cached copies are recognised.
func (j *Journal) Wrote(o metav1.Object) { j.written.Store(o.GetUID(), o.GetResourceVersion()) }

// Forget drops what is remembered of an object that is gone.
func (j *Journal) Forget(uid types.UID) { j.written.Delete(uid) }

// patchStatus sends the difference between base and o to the status subresource, if there is one. The resource
// version goes along, so that nobody's condition is lost.
func (j *Journal) patchStatus(ctx context.Context, o, base client.Object, same bool) error {
	if same {
		return nil
	}
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	if err := j.Client.Status().Patch(ctx, o, patch); err != nil {
		return fmt.Errorf("writing status of %s: %w", o.GetName(), err)
	}
	j.Wrote(o)
	return nil
}

func (j *Journal) now() metav1.Time { return metav1.NewTime(j.Now().Truncate(time.Second)) }

// event tells a person. Normal for what went well, Warning only for failures.
func (j *Journal) event(o engines.Object, kind, reason, action, format string, args ...any) {
	if j.Recorder != nil {
		j.Recorder.Eventf(o, nil, kind, reason, action, format, args...)
	}
}

// logTransitions writes one line for each condition that changed its status.
func logTransitions(log logr.Logger, before, after []metav1.Condition) {
	old := make(map[string]metav1.ConditionStatus, len(before))
	for _, c := range before {
		old[c.Type] = c.Status
	}
	for _, c := range after {
		if old[c.Type] != c.Status && c.Status != metav1.ConditionUnknown {
			log.Info("transition", "condition", c.Type, "status", c.Status, "reason", c.Reason, "message", c.Message)
		}
		delete(old, c.Type)
	}
	for gone := range old {
		log.Info("transition", "condition", gone, "status", "removed")
	}
}

func logger(ctx context.Context) logr.Logger { return logf.FromContext(ctx) }

func sameStatus(a, b any) bool { return equality.Semantic.DeepEqual(a, b) }
