package journal

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/ops"
)

// Request is one pass's view of a request's status. Changes gather in the object until Commit.
type Request struct {
	journal *Journal
	// Object is the request; its status is changed in place.
	Object engines.OpsRequest
	base   engines.OpsRequest
	// counts are for the metrics once the pass is written: one that cannot be written is made again, and counts then.
	counts []func(*Metrics)
}

// OpenRequest begins a pass. The object must be the caller's own copy.
func (j *Journal) OpenRequest(r engines.OpsRequest) *Request {
	return &Request{journal: j, Object: r, base: r.DeepCopyObject().(engines.OpsRequest)}
}

func (r *Request) set(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&r.Object.RequestStatus().Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: ops.Clip(message, longestMessage),
		ObservedGeneration: r.Object.GetGeneration(), LastTransitionTime: r.journal.now(),
	})
}

func (r *Request) condition(kind string) *metav1.Condition {
	return meta.FindStatusCondition(r.Object.RequestStatus().Conditions, kind)
}

// Wait says why a request that has not started does not start.
func (r *Request) Wait(w ops.Wait) {
	if r.Started() {
		return
	}
	r.set(opsv1.ConditionSuccessful, metav1.ConditionUnknown, w.Reason, w.Message)
}

// Announce writes every step that is not there yet as Unknown, so that progress is visible before it happens.
func (r *Request) Announce(steps []ops.Step) {
	for _, s := range steps {
		if r.condition(s.Type) == nil {
			r.set(s.Type, metav1.ConditionUnknown, opsv1.ReasonNotStarted, "")
		}
	}
}

// Start says that the operation has begun.
func (r *Request) Start() {
	if !r.Started() {
		r.set(opsv1.ConditionSuccessful, metav1.ConditionFalse, opsv1.ReasonProgressing, "the operation is under way")
	}
}

// Started tells whether the request says that its operation has begun.
func (r *Request) Started() bool {
	c := r.condition(opsv1.ConditionSuccessful)
	return c != nil && c.Status == metav1.ConditionFalse
}

// IsDone tells whether a step has latched.
func (r *Request) IsDone(step ops.Step) bool {
	c := r.condition(step.Type)
	return c != nil && c.Status == metav1.ConditionTrue
}

// Begin marks a step as under way and returns since when it is. A step that has latched stays. The clock of one that was
// held starts anew.
func (r *Request) Begin(step ops.Step) time.Time {
	c := r.condition(step.Type)
	if c == nil || c.Status == metav1.ConditionUnknown {
		r.set(step.Type, metav1.ConditionFalse, opsv1.ReasonProgressing, "")
		c = r.condition(step.Type)
	}
	if c.Status == metav1.ConditionFalse && c.Reason == opsv1.ReasonDatabasePaused {
		c.Reason, c.Message, c.LastTransitionTime = opsv1.ReasonProgressing, "", r.journal.now()
	}
	return c.LastTransitionTime.Time
}

// Told is since when the request says of a step that it is under way, or done; zero when it says neither yet.
func (r *Request) Told(step ops.Step) time.Time {
	c := meta.FindStatusCondition(r.base.RequestStatus().Conditions, step.Type)
	if c == nil || c.Status == metav1.ConditionUnknown {
		return time.Time{}
	}
	return c.LastTransitionTime.Time
}

// Message is what the request says of a step that has begun.
func (r *Request) Message(step ops.Step) string {
	if c := r.condition(step.Type); c != nil && c.Status != metav1.ConditionUnknown {
		return c.Message
	}
	return ""
}

// Hold says that a step rests while somebody else pauses the database. That time does not count.
func (r *Request) Hold(step ops.Step, message string) {
	r.set(step.Type, metav1.ConditionFalse, opsv1.ReasonDatabasePaused, message)
}

// Note keeps the reason and message of a step that is under way.
func (r *Request) Note(step ops.Step, reason, message string) {
	if reason == "" {
		reason = opsv1.ReasonWaiting
	}
	r.set(step.Type, metav1.ConditionFalse, reason, message)
}

// Finish latches a step.
func (r *Request) Finish(step ops.Step, message string) {
	if c := r.condition(step.Type); c != nil && c.Status == metav1.ConditionFalse {
		took := r.journal.Now().Sub(c.LastTransitionTime.Time)
		r.count(func(m *Metrics) { m.step(r.kind(), step.Type, took) })
	}
	r.set(step.Type, metav1.ConditionTrue, opsv1.ReasonDone, message)
	r.Object.RequestStatus().Retries = 0
}

// Retry starts the clock of a step again and counts.
func (r *Request) Retry(step ops.Step, message string) {
	r.Object.RequestStatus().Retries++
	c := r.condition(step.Type)
	c.Reason, c.Message, c.LastTransitionTime = opsv1.ReasonResting, ops.Clip(message, longestMessage), r.journal.now()
	r.count(func(m *Metrics) { m.retried(r.kind(), step.Type) })
}

// GiveUp says that a step has failed for good, and why, beside how far it had come. What becomes of the operation is said by
// BeginUndo or Fail.
func (r *Request) GiveUp(step ops.Step, reason, message string) {
	if far := r.Message(step); far != "" && !strings.Contains(message, far) {
		message = far + "; " + message
	}
	r.Note(step, reason, message)
	r.count(func(m *Metrics) { m.failed(r.kind(), step.Type) })
}

func (r *Request) count(what func(*Metrics)) { r.counts = append(r.counts, what) }

// Resting is how long a step that failed has to wait still before it is tried again; zero when it is time.
func (r *Request) Resting(step ops.Step, pause time.Duration) time.Duration {
	c := r.condition(step.Type)
	if c == nil || c.Status != metav1.ConditionFalse || c.Reason != opsv1.ReasonResting {
		return 0
	}
	return max(0, c.LastTransitionTime.Add(pause).Sub(r.journal.Now()))
}

// BeginUndo keeps the cause of the failure; Failed is said only after the undo.
func (r *Request) BeginUndo(reason, message string) {
	r.Object.RequestStatus().Retries = 0
	r.set(opsv1.ConditionFailed, metav1.ConditionFalse, reason, message)
	root := opsv1.ReasonUndoing
	if reason == opsv1.ReasonCanceled {
		root = opsv1.ReasonCanceling
	}
	r.set(opsv1.ConditionSuccessful, metav1.ConditionFalse, root, message)
	r.count(func(m *Metrics) { m.undoes(r.kind(), reason) })
}

// Undoing tells whether the undo has begun, and what made it necessary.
func (r *Request) Undoing() (cause metav1.Condition, undoing bool) {
	c := r.condition(opsv1.ConditionFailed)
	if c == nil {
		return metav1.Condition{}, false
	}
	return *c, true
}

// Succeed ends the operation well.
func (r *Request) Succeed(message string) {
	r.set(opsv1.ConditionSuccessful, metav1.ConditionTrue, opsv1.ReasonSuccessful, message)
}

// Fail ends the operation badly.
func (r *Request) Fail(reason, message string) {
	r.set(opsv1.ConditionFailed, metav1.ConditionTrue, reason, message)
	r.set(opsv1.ConditionSuccessful, metav1.ConditionFalse, reason, message)
}

// Commit writes what changed in one patch, then tells: a log line for each transition, an event at the start, at a
// failure, at an undo or a cancel and at the end, and what the metrics count.
func (r *Request) Commit(ctx context.Context) error {
	before, after := r.base.RequestStatus(), r.Object.RequestStatus()
	if len(after.Conditions) > 0 {
		after.ObservedGeneration = r.Object.GetGeneration()
		r.summarise()
	}
	told := rootReason(before)
	earlier, late := r.journal.untold.LoadAndDelete(r.Object.GetUID())
	if late {
		told = earlier.(string)
	}
	if err := r.journal.patchStatus(ctx, r.Object, r.base, sameStatus(before, after)); err != nil {
		if late || mayHaveComeThrough(err) {
			r.journal.untold.Store(r.Object.GetUID(), told)
		}
		return err
	}
	logTransitions(logger(ctx), before.Conditions, after.Conditions)
	r.tell(told, after)
	for _, count := range r.counts {
		count(r.journal.Metrics)
	}
	r.counts = nil
	r.base = r.Object.DeepCopyObject().(engines.OpsRequest)
	return nil
}

// mayHaveComeThrough tells whether a write may have been carried out although it ended with an error: the API server did not say.
// One that it refused was not, and whoever overtook it has told what there was to tell.
func mayHaveComeThrough(err error) bool {
	return apierrors.ReasonForError(err) == metav1.StatusReasonUnknown || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) ||
		apierrors.IsInternalError(err)
}

// TellLate tells of a write whose answer was lost, once it is seen to have come through.
func (r *Request) TellLate() {
	if told, ok := r.journal.untold.LoadAndDelete(r.Object.GetUID()); ok {
		r.tell(told.(string), r.Object.RequestStatus())
	}
}

// tell sends the event that a state calls for after the one that was told last. A cancel is what somebody asked for, so it is no
// failure, although the request did not do what it was made for.
func (r *Request) tell(told string, after *opsv1.OpsRequestStatus) {
	root := meta.FindStatusCondition(after.Conditions, opsv1.ConditionSuccessful)
	if root == nil || told == root.Reason {
		return
	}
	kind, undoing, failed := corev1.EventTypeWarning, "Undoing", "Failed"
	if cause := meta.FindStatusCondition(after.Conditions, opsv1.ConditionFailed); cause != nil && cause.Reason == opsv1.ReasonCanceled {
		kind, undoing, failed = corev1.EventTypeNormal, "Canceling", "Canceled"
	}
	switch {
	case after.Phase == opsv1.PhaseSuccessful:
		r.end(corev1.EventTypeNormal, "Successful", root.Message)
	case after.Phase == opsv1.PhaseFailed:
		r.end(kind, failed, root.Message)
	case root.Reason == opsv1.ReasonUndoing, root.Reason == opsv1.ReasonCanceling:
		r.event(kind, undoing, root.Message)
	case root.Reason == opsv1.ReasonProgressing:
		spec := r.Object.RequestSpec()
		r.event(corev1.EventTypeNormal, "Starting", fmt.Sprintf("started %s of %s", spec.Type, spec.DatabaseRef.Name))
	}
}

// end tells how the operation ended.
func (r *Request) end(kind, outcome, message string) {
	r.event(kind, outcome, message)
	r.journal.Metrics.finished(r.kind(), outcome, r.age())
}

func (r *Request) event(kind, reason, message string) {
	r.journal.event(r.Object, kind, reason, r.kind(), "%s", message)
}

// kind is the type of the operation.
func (r *Request) kind() string { return string(r.Object.RequestSpec().Type) }

func (r *Request) age() time.Duration {
	return r.journal.Now().Sub(r.Object.GetCreationTimestamp().Time)
}

func rootReason(s *opsv1.OpsRequestStatus) string {
	if c := meta.FindStatusCondition(s.Conditions, opsv1.ConditionSuccessful); c != nil {
		return c.Reason
	}
	return ""
}

// PatchMetadata sends a patch of the main resource; the status gathered so far must have been committed.
func (r *Request) PatchMetadata(ctx context.Context, patch client.Patch, opts ...client.PatchOption) error {
	if err := r.journal.Client.Patch(ctx, r.Object, patch, opts...); err != nil {
		return err
	}
	r.journal.Wrote(r.Object)
	r.base = r.Object.DeepCopyObject().(engines.OpsRequest)
	return nil
}
