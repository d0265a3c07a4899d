package journal

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
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
}

// OpenRequest begins a pass. The object must be the caller's own copy.
func (j *Journal) OpenRequest(r engines.OpsRequest) *Request {
	return &Request{journal: j, Object: r, base: r.DeepCopyObject().(engines.OpsRequest)}
}

func (r *Request) set(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&r.Object.RequestStatus().Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: r.Object.GetGeneration(), LastTransitionTime: r.journal.now(),
	})
}

func (r *Request) condition(kind string) *metav1.Condition {
	return meta.FindStatusCondition(r.Object.RequestStatus().Conditions, kind)
}

// Wait says why a request that has not started does not start.
func (r *Request) Wait(w ops.Wait) {
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
	if !r.started() {
		r.set(opsv1.ConditionSuccessful, metav1.ConditionFalse, opsv1.ReasonProgressing, "the operation is under way")
	}
}

func (r *Request) started() bool {
	c := r.condition(opsv1.ConditionSuccessful)
	return c != nil && c.Status == metav1.ConditionFalse
}

// IsDone tells whether a step has latched.
func (r *Request) IsDone(step ops.Step) bool {
	c := r.condition(step.Type)
	return c != nil && c.Status == metav1.ConditionTrue
}

// Begin marks a step as under way and returns since when it is. A step that has latched stays.
func (r *Request) Begin(step ops.Step) time.Time {
	c := r.condition(step.Type)
	if c == nil || c.Status == metav1.ConditionUnknown {
		r.set(step.Type, metav1.ConditionFalse, opsv1.ReasonProgressing, "")
		c = r.condition(step.Type)
	}
	return c.LastTransitionTime.Time
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
		r.journal.Metrics.step(string(r.Object.RequestSpec().Type), step.Type, r.journal.Now().Sub(c.LastTransitionTime.Time))
	}
	r.set(step.Type, metav1.ConditionTrue, opsv1.ReasonDone, message)
}

// Retry starts the clock of a step again and counts.
func (r *Request) Retry(step ops.Step, message string) {
	r.Object.RequestStatus().Retries++
	c := r.condition(step.Type)
	c.Reason, c.Message, c.LastTransitionTime = opsv1.ReasonRetrying, message, r.journal.now()
}

// BeginUndo keeps the cause of the failure; Failed is said only after the undo.
func (r *Request) BeginUndo(reason, message string) {
	r.set(opsv1.ConditionFailed, metav1.ConditionFalse, reason, message)
	r.set(opsv1.ConditionSuccessful, metav1.ConditionFalse, opsv1.ReasonUndoing, message)
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

// Commit writes what changed in one patch, then tells: a log line for each transition, and an event at the start, at
// a failure, at an undo and at the end.
func (r *Request) Commit(ctx context.Context) error {
	before, after := r.base.RequestStatus(), r.Object.RequestStatus()
	if len(after.Conditions) > 0 {
		after.ObservedGeneration = r.Object.GetGeneration()
		r.summarise()
	}
	if err := r.journal.patchStatus(ctx, r.Object, r.base, sameStatus(before, after)); err != nil {
		return err
	}
	logTransitions(logger(ctx), before.Conditions, after.Conditions)
	r.tell(before, after)
	r.base = r.Object.DeepCopyObject().(engines.OpsRequest)
	return nil
}

// tell sends the events that the difference between two states calls for.
func (r *Request) tell(before, after *opsv1.OpsRequestStatus) {
	was, is := rootReason(before), rootReason(after)
	kind := string(r.Object.RequestSpec().Type)
	root := meta.FindStatusCondition(after.Conditions, opsv1.ConditionSuccessful)
	switch {
	case was == is || root == nil:
	case after.Phase == opsv1.PhaseSuccessful:
		r.journal.event(r.Object, corev1.EventTypeNormal, "Successful", kind, "%s", root.Message)
		r.journal.Metrics.finished(kind, "Successful", r.age())
	case after.Phase == opsv1.PhaseFailed:
		r.journal.event(r.Object, corev1.EventTypeWarning, "Failed", kind, "%s", root.Message)
		r.journal.Metrics.finished(kind, "Failed", r.age())
	case is == opsv1.ReasonUndoing:
		r.journal.event(r.Object, corev1.EventTypeWarning, "Undoing", kind, "%s", root.Message)
	case is == opsv1.ReasonProgressing:
		r.journal.event(r.Object, corev1.EventTypeNormal, "Starting", kind, "started %s of %s", kind,
			r.Object.RequestSpec().DatabaseRef.Name)
	}
}

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
