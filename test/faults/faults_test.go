//go:build lab && faults

package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fault is one way in which something goes wrong.
type fault struct {
	name string
	// play carries the scenario out and lets the fault happen at point k. It returns when everything has settled; struck
	// is false when the operation ended without coming to that point.
	play func(ctx context.Context, d *dock, s scenario, k int) (r *run, struck bool, err error)
	// judge says what is wrong with the end.
	judge func(r *run, undisturbed *reference) []string
	// points at which it is tried; nil for every write.
	points func(*reference) int
	// ends is true when the dock cannot be used any further.
	ends bool
	// forced is true when the request is removed by force, and the way back along with it: nothing to try on a request that
	// fails.
	forced bool
	// corrects is true when another request follows that asks for what works: only for requests that fail.
	corrects bool
}

var faults = []fault{
	{name: "kill-before", play: killing(before), judge: succeeded},
	{name: "kill-after", play: killing(after), judge: succeeded},
	{name: "leader-change", play: usurped, judge: outlived},
	{name: "conflict-409", play: striking(answering(conflict)), judge: succeeded},
	{name: "throttled-429", play: striking(answering(throttled)), judge: succeeded},
	{name: "internal-500", play: striking(answering(internal)), judge: succeeded},
	{name: "forbidden-403", play: striking(answering(forbidden)), judge: denied},
	{name: "timeout-after-commit", play: striking(timedOut), judge: succeeded},
	{name: "old-list", play: awakening, judge: succeeded},
	{name: "dropped-event", play: deafened, judge: succeeded, points: func(u *reference) int { return u.events }},
	{name: "coalesced-events", play: drowsy, judge: succeeded, points: func(*reference) int { return 1 }},
	{name: "request-deleted", play: cancelling, judge: cancelled},
	{name: "request-replaced", play: replacing, judge: replaced, forced: true},
	{name: "request-corrected", play: correcting, judge: corrected, corrects: true},
	{name: "database-deleted", play: sinking, judge: sunk, ends: true},
	{name: "database-replaced", play: relaunching, judge: relaunched, ends: true},
}

// striking arms the operator and lets it go on by itself.
func striking(s strike) func(context.Context, *dock, scenario, int) (*run, bool, error) {
	return func(ctx context.Context, d *dock, sc scenario, k int) (*run, bool, error) {
		return d.interrupted(ctx, sc, k, func(*run) strike { return s }, nil)
	}
}

// interrupted arms the operator, and when the fault has happened does what follows from it.
func (d *dock) interrupted(ctx context.Context, s scenario, k int, how func(*run) strike,
	then func(ctx context.Context, r *run) error,
) (*run, bool, error) {
	r, err := d.begin(ctx, s, func(r *run) { r.struck = d.operator.arm(k, how(r)) })
	if err != nil {
		return nil, false, err
	}
	struck, err := r.strikes(ctx)
	if err == nil && struck && then != nil {
		err = then(ctx, r)
	}
	if err != nil {
		return r, struck, r.explain(err)
	}
	return r, struck, r.finish(ctx)
}

// Kills, before the request leaves or before its answer arrives.

func before(d *dock) strike {
	operator := d.operator
	return func(write, func() (*http.Response, error)) (*http.Response, error) {
		operator.die()
		return nil, errDead
	}
}

func after(d *dock) strike {
	operator := d.operator
	return func(_ write, send func() (*http.Response, error)) (*http.Response, error) {
		swallow(send())
		operator.die()
		return nil, errDead
	}
}

// swallow makes sure that a request has been carried out, and forgets its answer.
func swallow(res *http.Response, err error) {
	if err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
}

func killing(moment func(*dock) strike) func(context.Context, *dock, scenario, int) (*run, bool, error) {
	return func(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
		return d.interrupted(ctx, s, k, func(*run) strike { return moment(d) }, func(ctx context.Context, _ *run) error {
			return d.succeed(ctx, upbringing{})
		})
	}
}

// succeed replaces a dead operator by a new one.
func (d *dock) succeed(ctx context.Context, u upbringing) error {
	d.operator.kill()
	next, err := d.hire(ctx, u)
	if err == nil {
		d.before, d.operator = d.operator, next
	}
	return err
}

// usurped freezes the operator in the middle of a write. Another takes over; while it works, or when it is done, the
// first one thaws, believes that it still is in charge, and makes a pass with what it knew.
func usurped(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
	first := d.operator
	freeze := func(*run) strike {
		return func(_ write, send func() (*http.Response, error)) (*http.Response, error) {
			first.freeze()
			if err := first.wait(); err != nil {
				return nil, err
			}
			return send()
		}
	}
	return d.interrupted(ctx, s, k, freeze, func(ctx context.Context, r *run) error {
		second, err := d.hire(ctx, upbringing{})
		if err != nil {
			first.kill()
			return err
		}
		d.before, d.operator = first, second
		err = until(ctx, "the second operator to take over", func() bool {
			return r.ended() || k%2 == 0 && len(second.written()) >= 3
		})
		first.thaw()
		time.Sleep(stalePass)
		first.kill()
		return err
	})
}

// stalePass is how long an operator goes on that is not in charge any more.
const stalePass = 300 * time.Millisecond

// Answers.

var something = schema.GroupResource{Resource: "objects"}

func conflict() *apierrors.StatusError {
	return apierrors.NewConflict(something, "it", errors.New("the object has been modified"))
}
func throttled() *apierrors.StatusError { return apierrors.NewTooManyRequests("too many requests", 1) }
func internal() *apierrors.StatusError {
	return apierrors.NewInternalError(errors.New("the database of the API server is away"))
}
func forbidden() *apierrors.StatusError {
	return apierrors.NewForbidden(something, "it", errors.New("the rights have been taken away"))
}

func answering(failure func() *apierrors.StatusError) strike {
	return func(write, func() (*http.Response, error)) (*http.Response, error) {
		f := failure()
		res := answer(nil, f)
		if f.ErrStatus.Details != nil && f.ErrStatus.Details.RetryAfterSeconds > 0 {
			res.Header.Set("Retry-After", strconv.Itoa(int(f.ErrStatus.Details.RetryAfterSeconds)))
		}
		return res, nil
	}
}

// timedOut carries the write out, and the operator hears nothing of it.
func timedOut(_ write, send func() (*http.Response, error)) (*http.Response, error) {
	swallow(send())
	return nil, &net.OpError{Op: "read", Net: "tcp", Err: errors.New("i/o timeout")}
}

// Lists and watches.

// awakening kills the operator; the next one wakes up in an older world, of which it is told the rest a while later.
func awakening(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
	return d.interrupted(ctx, s, k, func(*run) strike { return before(d) }, func(ctx context.Context, r *run) error {
		var versions []uint64
		for _, e := range d.space.Record.Story().Events {
			if e.Version > r.before.version {
				versions = append(versions, e.Version)
			}
		}
		old := r.before.version
		if n := len(versions); k%3 != 0 && n > 0 {
			old = versions[(k*7)%n]
		}
		return d.succeed(ctx, upbringing{past: fmt.Sprint(old)})
	})
}

// deafened loses event k. Nothing brings it back but a later one or a restart, so what counts is that nothing wrong is
// done, and that an operator that lists again finishes.
func deafened(ctx context.Context, d *dock, s scenario, k int) (*run, bool, error) {
	ear := &dropper{}
	if err := d.succeed(ctx, upbringing{frames: ear.filter}); err != nil {
		return nil, false, err
	}
	r, err := d.begin(ctx, s, func(*run) { ear.arm(k) })
	if err != nil {
		return nil, false, err
	}
	began := time.Now()
	err = until(ctx, "the operation to end or to hang", func() bool {
		past := time.Since(began)
		return r.now() != nil && r.ended() || past > deafFor && d.operator.idle() > 2*time.Second || past > deafAtMost
	})
	if err == nil {
		err = d.succeed(ctx, upbringing{})
	}
	if err == nil {
		err = r.finish(ctx)
	}
	_, lost := ear.seen()
	if err != nil {
		err = fmt.Errorf("%w; lost: %s", err, lost)
	}
	return r, lost != "", err
}

// deafFor is how long an operator may try to go on without the event, deafAtMost how long it is let try when it does not rest:
// one that does not see that a workload has changed tries to write it ten times a second, and is refused.
const (
	deafFor    = 6 * time.Second
	deafAtMost = 30 * time.Second
)

// drowsy hears of every object's last state only, a few times a second.
func drowsy(ctx context.Context, d *dock, s scenario, _ int) (*run, bool, error) {
	if err := d.succeed(ctx, upbringing{frames: coalesce}); err != nil {
		return nil, false, err
	}
	r, err := d.begin(ctx, s, nil)
	if err == nil {
		err = r.finish(ctx)
	}
	if err == nil {
		err = d.succeed(ctx, upbringing{})
	}
	return r, true, err
}

// version of an object, as a number.
func version(o client.Object) uint64 {
	n, _ := strconv.ParseUint(o.GetResourceVersion(), 10, 64) // the API server's are numbers
	return n
}

// pods are the names of the pods of those groups.
func pods(groups []group) []string {
	var names []string
	for _, g := range groups {
		for i := range g.replicas {
			names = append(names, fmt.Sprintf("%s-%d", g.workload, i))
		}
	}
	slices.Sort(names)
	return names
}
