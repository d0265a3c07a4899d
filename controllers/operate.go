package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

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
	// savedVersion is the resource version of the saved revision.
	savedVersion string
	plan         ops.Plan
	// littered is true when something is left of earlier operations that could not be removed in this pass.
	littered bool
}

// operate carries the request on until it has to wait, and returns when to look again.
func (c *Database) operate(ctx context.Context, s *session, request ops.Request) (time.Duration, error) {
	o := &operation{session: s, request: request, journal: s.request(request)}
	if end := over(s.db, request.UID); end != nil {
		return 0, c.conclude(ctx, o, end)
	}
	_, undoing := o.journal.Undoing()
	if !request.Started {
		if refused, err := c.guard(ctx, o); err != nil || refused {
			return 0, err
		}
	}
	if request.Deleting && !undoing {
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

// over is how a request's operation ended, when the database says so; otherwise nil.
func over(db *journal.Database, request types.UID) *kubedbv1.LastOperation {
	if last := db.Object.DatabaseStatus().LastOperation; last != nil && last.UID == request {
		return last
	}
	return nil
}

// conclude tells the request how it has ended. Nothing is done for it any more, and above all the gate is not closed
// again: pausing takes the version of the database that says that the operation is over, so not even an operator that is
// no longer in charge and has missed the end can do that.
func (c *Database) conclude(ctx context.Context, o *operation, end *kubedbv1.LastOperation) error {
	finished, err := c.latched(ctx, o, end)
	if err != nil {
		return err
	}
	for _, step := range finished {
		if !o.journal.IsDone(step) {
			o.journal.Finish(step, "done before the database was resumed")
		}
	}
	if end.Outcome == kubedbv1.OutcomeSuccessful {
		o.journal.Succeed(end.Message)
	} else {
		o.journal.Fail(end.Reason, end.Message)
	}
	return c.close(ctx, o)
}

// latched are the steps that an operation which ended like that has taken. They are left out when nobody can tell them any more.
func (c *Database) latched(ctx context.Context, o *operation, end *kubedbv1.LastOperation) ([]ops.Step, error) {
	if end.Reason == opsv1.ReasonUndoIncomplete {
		return nil, nil
	}
	saved, err := c.savedRevision(ctx, o)
	if isLost(err) || err == nil && saved == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	plan, err := ops.MakePlan(o.request, saved.Change())
	if err != nil {
		return nil, nil //nolint:nilerr // it will be the same for ever, and the operation is over
	}
	if end.Outcome == kubedbv1.OutcomeSuccessful {
		return plan.Steps, nil
	}
	return plan.Undo, nil
}

// guard runs the admission once more before an operation starts: what the webhook would refuse is refused here too.
func (c *Database) guard(ctx context.Context, o *operation) (refused bool, err error) {
	who, err := admit.Requester(o.journal.Object)
	if err != nil {
		o.journal.Fail(opsv1.ReasonInvalid, err.Error())
	} else {
		verdict, err := c.Admission.Request(ctx, c.Engine, o.journal.Object, nil, who)
		if err != nil { // not to be able to tell keeps the others waiting, so it has to be told
			o.journal.Wait(ops.Wait{Reason: opsv1.ReasonRetrying, Message: err.Error()})
			return false, c.commit(ctx, o, err)
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
// the change was worked out from; then the change is saved. An operation that has a plan does not start again without its
// saved revision: what it had changed by then would count as what it found. That went with its database, though, when this is
// another one of that name.
func (c *Database) load(ctx context.Context, o *operation, undoing bool) error {
	saved, err := c.savedRevision(ctx, o)
	if err != nil {
		return err
	}
	if saved == nil && o.planned() {
		return &goneError{o.request.RevisionName()}
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
	if o.plan, err = ops.MakePlan(o.request, saved.Change()); err != nil {
		return err
	}
	o.journal.Found()
	c.tidy(ctx, o)
	return nil
}

// tidy removes what earlier operations have left. What cannot be removed stops nothing.
func (c *Database) tidy(ctx context.Context, o *operation) {
	err := c.collect(ctx, o)
	if o.littered = err != nil; o.littered {
		logf.FromContext(ctx).Error(err, "what earlier operations have left stays for now")
	}
}

// planned tells whether the request has a plan for this very database, and not for an earlier one of its name.
func (o *operation) planned() bool {
	db := o.db.Object.GetUID()
	owners := o.journal.Object.GetOwnerReferences()
	return o.journal.Planned() && slices.ContainsFunc(owners, func(r metav1.OwnerReference) bool { return r.UID == db })
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
	return c.rest(ctx, o, r)
}

// undo runs the undo steps; Failed is said at their end.
func (c *Database) undo(ctx context.Context, o *operation) (time.Duration, error) {
	cause, _ := o.journal.Undoing()
	o.journal.Announce(o.plan.Undo)
	outcome := kubedbv1.OutcomeFailed
	if cause.Reason == opsv1.ReasonCanceled {
		outcome = kubedbv1.OutcomeCanceled
	}
	end := steps.End{Outcome: outcome, Reason: cause.Reason, Message: cause.Message + "; what had been done is undone" + o.lasting(cause.Message)}
	r := c.run(ctx, o, o.plan.Undo, ops.Before, end)
	switch {
	case r.failed != nil:
		return 0, c.giveUp(ctx, o, r.failed.Message)
	case r.done:
		o.journal.Fail(end.Reason, end.Message)
		return 0, c.close(ctx, o)
	}
	return c.rest(ctx, o, r)
}

// giveUp ends an operation that can neither go on nor back: the database is resumed all the same, and says that it is degraded.
func (c *Database) giveUp(ctx context.Context, o *operation, message string) error {
	if cause, undoing := o.journal.Undoing(); undoing {
		message = fmt.Sprintf("%s; undoing it failed too: %s", cause.Message, message)
	}
	message += o.lasting(message)
	o.db.Set(kubedbv1.ConditionDegraded, metav1.ConditionTrue, opsv1.ReasonUndoIncomplete, message)
	end := steps.End{Outcome: kubedbv1.OutcomeFailed, Reason: opsv1.ReasonUndoIncomplete, Message: message}
	if _, err := c.Executor.Do(ctx, o.target(c, ops.Before, end), ops.Resume{Undo: true}); err != nil {
		return err
	}
	o.journal.Fail(opsv1.ReasonUndoIncomplete, message)
	return c.close(ctx, o)
}

// lasting tells how far came what no undo takes back, unless that is said already. The database keeps it, for a request that was
// deleted is gone.
func (o *operation) lasting(said string) string {
	var told []string
	for _, step := range o.plan.Lasting() {
		message := strings.TrimSuffix(o.journal.Message(step), "; "+said) // the step that failed says why, too
		if message != "" && !strings.Contains(said, message) {
			told = append(told, step.Type+": "+message)
		}
	}
	if len(told) == 0 {
		return ""
	}
	return "; volumes stay as large as they are: " + strings.Join(told, "; ")
}

// close commits the end and lets the request go. The database is first: what that does not say yet, the request must not say
// either, for nobody would come back to it.
func (c *Database) close(ctx context.Context, o *operation) error {
	if o.littered {
		c.tidy(ctx, o) // there is no next pass, and may be no next operation for long
	}
	if err := o.db.Commit(ctx); err != nil {
		return err
	}
	if err := o.journal.Commit(ctx); err != nil {
		return err
	}
	return c.letGo(ctx, o.session, o.journal)
}

func (o *operation) target(c *Database, side ops.Side, end steps.End) *steps.Target {
	return &steps.Target{
		Engine: c.Engine, Database: o.db, Request: o.request, Saved: o.saved, Side: side, End: end,
		Version:  o.journal.Object.GetResourceVersion(),
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
