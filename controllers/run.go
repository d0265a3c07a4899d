package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// retryPause is how long a step rests between a failure and its next try.
const retryPause = 5 * time.Second

// result of running steps: done, or failed for good, or to be continued after a while or on the next event.
type result struct {
	done   bool
	failed *ops.Outcome
	after  time.Duration
	err    error
}

// run carries out the steps in order, from the first that has not latched. The pause is asserted again on each pass,
// until the plan comes to its end: a gate that somebody opened closes again before anything else is done.
func (c *Database) run(ctx context.Context, o *operation, plan []ops.Step, side ops.Side, end steps.End) result {
	target := o.target(c, side, end)
	for _, step := range plan {
		if o.journal.IsDone(step) {
			continue
		}
		if _, last := step.Action.(ops.Resume); !last {
			if out, err := c.Executor.Do(ctx, target, ops.Pause{}); err != nil || !out.IsDone() {
				return result{err: err}
			}
		}
		since := o.journal.Begin(step)
		out, err := c.Executor.Do(ctx, target, step.Action)
		if err == nil && out.IsDone() {
			o.journal.Finish(step, out.Message)
			continue
		}
		return c.judge(o, step, since, out, err)
	}
	return result{done: true}
}

// judge decides what becomes of a step that is not done: wait on, try again, or fail.
func (c *Database) judge(o *operation, step ops.Step, since time.Time, out ops.Outcome, err error) result {
	left := since.Add(step.Timeout(o.request)).Sub(c.Journal.Now())
	switch {
	case err != nil && left > 0:
		if !apierrors.IsConflict(err) {
			o.journal.Note(step, opsv1.ReasonRetrying, err.Error())
		}
		return result{err: err}
	case err != nil:
		out = ops.Outcome{Status: ops.Failed, Reason: opsv1.ReasonStepFailed, Message: err.Error()}
	case out.Status == ops.Waiting && left > 0:
		if out.Reason != ops.ReasonWorkloadNotObserved { // over in a moment, and not worth a write
			o.journal.Note(step, out.Reason, out.Message)
		}
		return result{after: sooner(out.After, left)}
	case out.Status == ops.Waiting:
		out = ops.Outcome{Status: ops.Failed, Reason: opsv1.ReasonTimeout,
			Message: fmt.Sprintf("step %s took longer than %s: %s", step.Type, step.Timeout(o.request), out.Message)}
	}
	if o.journal.Object.RequestStatus().Retries < o.request.MaxRetries {
		o.journal.Retry(step, out.Message)
		return result{after: retryPause}
	}
	return result{failed: &out}
}

// sooner is the shorter of two waits; zero means none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}

// refusal is a reason for which an operation cannot start and never will.
type refusal struct {
	reason string
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func asRefusal(err error, target **refusal) bool { return errors.As(err, target) }
