package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// retryPause is how long a step rests between a failure and its next try.
const retryPause = 5 * time.Second

// aMoment is how long a step may wait for what is over at once as a rule before that is worth a write.
const aMoment = 3 * time.Second

// brief are the reasons of such waits.
var brief = map[string]bool{
	ops.ReasonWorkloadNotObserved: true, steps.ReasonDetachingWorkload: true, steps.ReasonStoppingPod: true,
}

// result of running steps: done, or failed for good, or to be continued after a while or on the next event.
type result struct {
	done   bool
	failed *ops.Outcome
	after  time.Duration
	err    error
	// waits tells that a step waits, and untold how long what the pass has found may stay untold then. Zero is not at all.
	waits  bool
	untold time.Duration
	// quiet is how long nothing at all need be written.
	quiet time.Duration
}

// run carries out the steps in order, from the first that has not latched. The pause is asserted again on each pass,
// until the plan comes to its end: a gate that somebody opened closes again before anything else is done.
func (c *Database) run(ctx context.Context, o *operation, plan []ops.Step, side ops.Side, end steps.End) result {
	target := o.target(c, side, end)
	if len(plan) > 0 {
		target.Since = o.journal.Begin(plan[0])
	}
	var finished []ops.Step
	for _, step := range plan {
		if o.journal.IsDone(step) {
			continue
		}
		if _, last := step.Action.(ops.Resume); !last {
			if held, err := c.hold(ctx, o, target, step); !held {
				return result{err: err}
			}
		}
		since := o.journal.Begin(step)
		if rest := o.journal.Resting(step, retryPause); rest > 0 {
			return result{after: rest} // whatever event has woken us
		}
		target.Try(int(o.journal.Object.RequestStatus().Retries), since)
		out, err := c.Executor.Do(ctx, target, step.Action)
		if err == nil && out.IsDone() {
			o.journal.Finish(step, out.Message)
			if out.Passing {
				return result{} // our own write wakes us
			}
			finished = append(finished, step)
			continue
		}
		r := c.judge(o, step, since, out, err)
		if r.waits {
			r.untold = c.untold(o, plan, finished, step)
			r.quiet = quiet(o, finished, step, out)
		}
		return r
	}
	return result{done: true}
}

// quiet is for how long nothing need be written about a pass that waits in a step and has finished those: not at all, if that
// or the step itself is not told yet.
func quiet(o *operation, finished []ops.Step, at ops.Step, out ops.Outcome) time.Duration {
	if len(finished) > 0 || o.journal.Told(at).IsZero() {
		return 0
	}
	return out.Quiet
}

// rest writes what a pass that waits has found, as far as it has to be written now, and returns when to look again.
func (c *Database) rest(ctx context.Context, o *operation, r result) (time.Duration, error) {
	switch {
	case r.quiet > 0:
		return sooner(r.after, r.quiet), nil
	case r.untold > 0:
		return sooner(r.after, r.untold), o.db.Commit(ctx)
	}
	return r.after, c.commit(ctx, o, r.err)
}

// untold is for how long a pass that has finished those steps, and waits in another, need not be told: steps that move one
// stopped pod on are found again as they are, so they are told together, unless they take longer than a moment.
func (c *Database) untold(o *operation, plan, finished []ops.Step, at ops.Step) time.Duration {
	apart := func(s ops.Step) bool { return !ops.Together(s, at) }
	first := slices.IndexFunc(plan, func(s ops.Step) bool { return !apart(s) })
	if first < 0 || slices.ContainsFunc(finished, apart) {
		return 0
	}
	since := c.Journal.Now().Sub(o.journal.Told(plan[first]))
	if since < 0 {
		return 0 // by the clock of an operator before this one, which says nothing here
	}
	return max(0, aMoment-since)
}

// hold asserts the pause before a step. A database that somebody else has paused is not held.
func (c *Database) hold(ctx context.Context, o *operation, target *steps.Target, step ops.Step) (bool, error) {
	out, err := c.Executor.Do(ctx, target, ops.Pause{})
	if err == nil && !out.IsDone() {
		o.journal.Hold(step, out.Message)
	}
	return err == nil && out.IsDone(), err
}

// judge decides what becomes of a step that is not done: wait on, try again, or fail.
func (c *Database) judge(o *operation, step ops.Step, since time.Time, out ops.Outcome, err error) result {
	from, limit := step.Timeout(o.request, since, out.Turn)
	left := from.Add(limit).Sub(c.Journal.Now())
	switch {
	case passing(err) && left > 0:
		if !overtaken(err) {
			o.journal.Note(step, opsv1.ReasonRetrying, err.Error())
		}
		return result{err: err}
	case err != nil:
		out = ops.Outcome{Status: ops.Failed, Reason: opsv1.ReasonStepFailed, Message: err.Error()}
	case out.Status == ops.Waiting && left > 0:
		if rest := since.Add(aMoment).Sub(c.Journal.Now()); brief[out.Reason] && rest > 0 {
			return result{waits: true, after: sooner(out.After, min(rest, left))}
		}
		o.journal.Note(step, out.Reason, out.Message)
		return result{waits: true, after: sooner(out.After, left)}
	case out.Status == ops.Waiting:
		out = ops.Outcome{Status: ops.Failed, Reason: opsv1.ReasonTimeout,
			Message: fmt.Sprintf("step %s took longer than %s: %s", step.Type, limit, out.Message+out.Account)}
	}
	if o.journal.Object.RequestStatus().Retries < o.request.MaxRetries {
		o.journal.Retry(step, out.Message)
		return result{after: retryPause}
	}
	o.journal.GiveUp(step, out.Reason, out.Message)
	return result{failed: &out}
}

// passing tells whether an error may not come again.
func passing(err error) bool { return err != nil && !refusedAsIs(err) }

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
