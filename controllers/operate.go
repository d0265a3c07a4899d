package controllers

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// operation is one pass of one request.
type operation struct {
	*session
	request ops.Request
	journal *journal.Request
	saved   *steps.Saved
	plan    ops.Plan
}

// operate carries the request on until it has to wait, and returns when to look again.
func (c *Database) operate(ctx context.Context, s *session, request ops.Request) (time.Duration, error) {
	o := &operation{session: s, request: request, journal: s.request(request)}
	_, undoing := o.journal.Undoing()
	if !request.Started {
		if refused, err := c.guard(ctx, o); err != nil || refused {
			return 0, err
		}
	}
	if request.Deleting && !undoing && !o.succeeded() {
		o.journal.BeginUndo(opsv1.ReasonCanceled, "the request was deleted while the operation was under way")
		undoing = true
	}
	if err := c.load(ctx, o, undoing); err != nil {
		return 0, c.surprise(ctx, o, err)
	}
	if _, failed := o.journal.Undoing(); failed {
		return c.undo(ctx, o)
	}
	return c.forward(ctx, o)
}

// succeeded tells whether the database says already that the operation is done, and only the request does not know yet.
// It is too late then to cancel it.
func (o *operation) succeeded() bool {
	last := o.db.Object.DatabaseStatus().LastOperation
	return last != nil && last.UID == o.request.UID && last.Outcome == kubedbv1.OutcomeSuccessful
}

// guard runs the admission once more before an operation starts: what the webhook would refuse is refused here too.
func (c *Database) guard(ctx context.Context, o *operation) (refused bool, err error) {
	who, err := admit.Requester(o.journal.Object)
	if err != nil {
		o.journal.Fail(opsv1.ReasonInvalid, err.Error())
	} else {
		verdict, err := c.Admission.Request(ctx, c.Engine, o.journal.Object, nil, who)
		if err != nil {
			return false, err
		}
		if len(verdict.Errors) == 0 {
			return false, c.claim(ctx, o.session, o.journal)
		}
		o.journal.Fail(opsv1.ReasonInvalid, verdict.Errors.ToAggregate().Error())
	}
	if err := o.journal.Commit(ctx); err != nil {
		return false, err
	}
	if err := o.db.Commit(ctx); err != nil {
		return false, err
	}
	return true, c.release(ctx, o.journal)
}

// load finds the saved revision and the plan. When there is none yet, the operation starts here: the change is worked
// out first, since that may fail and then nothing has happened; then the gate closes, with the resource version that
// the change was worked out from; then the change is saved.
func (c *Database) load(ctx context.Context, o *operation, undoing bool) error {
	saved, err := c.savedRevision(ctx, o)
	if err != nil {
		return err
	}
	if saved == nil && !undoing {
		if saved, err = c.begin(ctx, o); err != nil {
			return err
		}
	}
	if o.saved = saved; saved == nil {
		o.plan = ops.NothingDone()
		return nil
	}
	if err := c.collect(ctx, o.db.Object, saved); err != nil {
		return err
	}
	o.plan, err = ops.MakePlan(o.request, saved.Change())
	return err
}

// forward runs the plan.
func (c *Database) forward(ctx context.Context, o *operation) (time.Duration, error) {
	o.journal.Start()
	o.journal.Announce(o.plan.Steps)
	end := steps.End{Outcome: kubedbv1.OutcomeSuccessful, Reason: opsv1.ReasonSuccessful,
		Message: fmt.Sprintf("%s of %s is done", o.request.Type, o.request.Database)}
	r := c.run(ctx, o, o.plan.Steps, ops.After, end)
	switch {
	case r.failed != nil:
		o.journal.BeginUndo(r.failed.Reason, r.failed.Message)
		if err := o.journal.Commit(ctx); err != nil {
			return 0, err
		}
		return c.undo(ctx, o)
	case r.done:
		o.journal.Succeed(end.Message)
		return 0, c.close(ctx, o)
	}
	return r.after, c.commit(ctx, o, r.err)
}

// undo runs the undo steps; Failed is said at their end.
func (c *Database) undo(ctx context.Context, o *operation) (time.Duration, error) {
	cause, _ := o.journal.Undoing()
	o.journal.Announce(o.plan.Undo)
	outcome := kubedbv1.OutcomeFailed
	if cause.Reason == opsv1.ReasonCanceled {
		outcome = kubedbv1.OutcomeCanceled
	}
	end := steps.End{Outcome: outcome, Reason: cause.Reason, Message: cause.Message + "; what had been done is undone"}
	r := c.run(ctx, o, o.plan.Undo, ops.Before, end)
	switch {
	case r.failed != nil:
		return 0, c.giveUp(ctx, o, cause.Message, *r.failed)
	case r.done:
		o.journal.Fail(end.Reason, end.Message)
		return 0, c.close(ctx, o)
	}
	return r.after, c.commit(ctx, o, r.err)
}

// giveUp ends an operation whose undo failed too: the database is resumed all the same, and says that it is degraded.
func (c *Database) giveUp(ctx context.Context, o *operation, cause string, failed ops.Outcome) error {
	message := fmt.Sprintf("%s; undoing it failed too: %s", cause, failed.Message)
	o.db.Set(kubedbv1.ConditionDegraded, "True", opsv1.ReasonUndoIncomplete, message)
	end := steps.End{Outcome: kubedbv1.OutcomeFailed, Reason: opsv1.ReasonUndoIncomplete, Message: message}
	if _, err := c.Executor.Do(ctx, o.target(c, ops.Before, end), ops.Resume{Undo: true}); err != nil {
		return err
	}
	o.journal.Fail(opsv1.ReasonUndoIncomplete, message)
	return c.close(ctx, o)
}

// close commits the end and lets the request go.
func (c *Database) close(ctx context.Context, o *operation) error {
	if err := c.commit(ctx, o, nil); err != nil {
		return err
	}
	if err := c.forget(ctx, o.session, o.journal); err != nil {
		return err
	}
	return c.release(ctx, o.journal)
}

func (o *operation) target(c *Database, side ops.Side, end steps.End) *steps.Target {
	return &steps.Target{
		Engine: c.Engine, Database: o.db, Request: o.request, Saved: o.saved, Side: side, End: end,
		Attempts: int(o.journal.Object.RequestStatus().Retries),
	}
}

// commit writes both journals of the pass and keeps the first error.
func (c *Database) commit(ctx context.Context, o *operation, first error) error {
	for _, err := range []error{o.db.Commit(ctx), o.journal.Commit(ctx)} {
		if first == nil {
			first = err
		}
	}
	return first
}

// surprise handles an error before there is a plan. Something that was refused for good ends the operation; anything
// else is tried again with a back-off.
func (c *Database) surprise(ctx context.Context, o *operation, err error) error {
	var refused *refusal
	if !asRefusal(err, &refused) {
		if apierrors.IsConflict(err) {
			return err
		}
		return c.commit(ctx, o, err)
	}
	o.journal.Fail(refused.reason, refused.Error())
	o.db.Resume(o.request, kubedbv1.OutcomeFailed, refused.reason, refused.Error())
	return c.close(ctx, o)
}
