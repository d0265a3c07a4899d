package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/ops"
)

// surprise handles an error before there is a plan. What is refused for good ends the operation, and so does anything that
// lasts as long as a step may take: nothing has been done yet but closing the gate. Until then it is tried again with a
// back-off, and the request says why.
func (c *Database) surprise(ctx context.Context, o *operation, err error) error {
	if overtaken(err) {
		return err
	}
	if o.planned() {
		return c.lose(ctx, o, err)
	}
	reason, final := c.isFinal(o, err)
	if !final {
		o.journal.Wait(ops.Wait{Reason: opsv1.ReasonRetrying, Message: err.Error()})
		return c.commit(ctx, o, err)
	}
	o.journal.Fail(reason, err.Error())
	o.db.Resume(o.request, kubedbv1.OutcomeFailed, reason, err.Error())
	return c.close(ctx, o)
}

// isFinal tells whether an error before there is a plan ends the operation, and by what reason.
func (c *Database) isFinal(o *operation, err error) (reason string, final bool) {
	refused, isRefused := errors.AsType[*refusal](err)
	var foreign *apply.ForeignError
	switch {
	case isRefused:
		return refused.reason, true
	case errors.As(err, &foreign):
		return kubedbv1.ReasonNameTaken, true
	case apierrors.IsRequestEntityTooLargeError(err):
		return opsv1.ReasonInvalid, true
	}
	since, held := journal.HeldSince(o.db.Object.DatabaseStatus(), o.request)
	return opsv1.ReasonTimeout, held && c.tooLong(o, since)
}

// lose handles an error that keeps an operation that is under way from its plan. One that may pass is tried again for as long
// as a step may take. Then the operation ends as far as it has come: what it had changed is known from the plan alone.
func (c *Database) lose(ctx context.Context, o *operation, err error) error {
	since := o.journal.Lose(err.Error())
	var foreign *apply.ForeignError
	var gone *goneError
	if final := errors.As(err, &foreign) || errors.As(err, &gone); !final && !c.tooLong(o, since) {
		return c.commit(ctx, o, err)
	}
	return c.giveUp(ctx, o, "what the operation was planned from is lost, so what had been done stays: "+err.Error())
}

// tooLong tells whether what began then has lasted longer than a step may take.
func (c *Database) tooLong(o *operation, since time.Time) bool {
	return c.Journal.Now().Sub(since) > cmp.Or(o.request.Timeout, ops.DefaultTimeout)
}

// goneError says that the saved revision of an operation that is under way is not there, not even when the API server is asked.
type goneError struct{ name string }

func (e *goneError) Error() string {
	return fmt.Sprintf("somebody has deleted the saved revision %s while the operation was under way", e.name)
}

// unreadableError says that this version of the operator cannot read a saved revision.
type unreadableError struct {
	name string
	err  error
}

func (e *unreadableError) Error() string {
	return fmt.Sprintf("reading the saved revision %s: %v", e.name, e.err)
}
func (e *unreadableError) Unwrap() error { return e.err }

// isLost tells whether the error says that what an operation was planned from will not be told any more. An operation that is
// over does without.
func isLost(err error) bool {
	var foreign *apply.ForeignError
	var unreadable *unreadableError
	return errors.As(err, &foreign) || errors.As(err, &unreadable)
}
