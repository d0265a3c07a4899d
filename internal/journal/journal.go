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
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// Journal writes down what happens to databases and their requests.
type Journal struct {
	Client   client.Client
	Recorder events.EventRecorder
	Metrics  *Metrics
	// Now is the clock.
	Now func() time.Time

	// untold is what was told last of each request, by UID, whose later writes failed: they may have come through all the same.
	untold sync.Map
	// Memory tells cached copies apart that are older than our last write.
	apply.Memory
}

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

// How long texts may be, in bytes. The API server refuses a status with a condition message of more than 32768 characters, and an
// event with a note of more than 1024: an operation that could not be written down would come to no end.
const (
	longestMessage = 8 << 10
	longestNote    = 1 << 10
)

// event tells a person. Normal for what went well or was asked for, Warning only for failures.
func (j *Journal) event(o engines.Object, kind, reason, action, format string, args ...any) {
	if j.Recorder != nil {
		j.Recorder.Eventf(o, nil, kind, reason, action, "%s", ops.Clip(fmt.Sprintf(format, args...), longestNote))
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
