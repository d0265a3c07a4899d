// Package controllers drives: one controller per kind, keyed by database, either carries out the request whose turn it
// is or provisions what the database's spec asks for. Being keyed by database, it needs no locks.
package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// Database reconciles the databases of one kind and the requests about them.
type Database struct {
	Engine engines.Engine
	// Client reads from watch caches and writes to the API server.
	Client client.Client
	// Live reads from the API server: Secrets, and what a cache may not know yet.
	Live      client.Reader
	Apply     *apply.Applier
	Cluster   *steps.Cluster
	Executor  *steps.Executor
	Journal   *journal.Journal
	Admission *admit.Admission
	// CertManager tells whether the cluster has cert-manager's kinds.
	CertManager bool
	// Overtaken is how long each database rests; see Rests.
	Overtaken workqueue.TypedRateLimiter[types.NamespacedName]

	rendered renderings
	// confirmed are the databases that were found to be the API server's.
	confirmed apply.Recent
}

// session is one pass over one database.
type session struct {
	// db is nil when the database does not exist.
	db       *journal.Database
	requests []*journal.Request
	values   []ops.Request
}

// Reconcile makes one pass. When somebody has written in between, or the caches are behind, that is no failure: the watch
// brings the newer object and wakes us before the time is up.
func (c *Database) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	after, err := c.reconcile(ctx, req.NamespacedName)
	if overtaken(err) {
		return ctrl.Result{RequeueAfter: c.Overtaken.When(req.NamespacedName)}, nil
	}
	c.Overtaken.Forget(req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: after}, nil
}

func (c *Database) reconcile(ctx context.Context, key client.ObjectKey) (time.Duration, error) {
	s, fresh, err := c.open(ctx, key)
	if err != nil || !fresh {
		return 0, err
	}
	if s.db == nil {
		c.rendered.forget(key)
		return 0, c.endWithoutDatabase(ctx, s)
	}
	if s.db.Object.GetDeletionTimestamp() != nil {
		if err := c.endWithoutDatabase(ctx, s); err != nil {
			return 0, err
		}
		return 0, c.finalize(ctx, s)
	}
	return c.pass(ctx, s)
}

// Rests returns how long a database rests before its next pass when one was overtaken. The first rest is short, for the
// newer object may have arrived before the conflict was seen; a watch that is late is waited for ever longer.
func Rests() workqueue.TypedRateLimiter[types.NamespacedName] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](100*time.Millisecond, aMoment)
}

// overtaken tells whether somebody has written in between, or the caches are behind. Of several errors all have to say so.
func overtaken(err error) bool {
	if several, joined := err.(interface{ Unwrap() []error }); joined {
		return !slices.ContainsFunc(several.Unwrap(), func(e error) bool { return !overtaken(e) })
	}
	var behind *apply.BehindError
	return errors.As(err, &behind) || apierrors.IsConflict(err)
}

// pass either operates or provisions, and tells everyone who waits why. A request that cannot be told, or let go, keeps nobody
// waiting: its error is returned at the end.
func (c *Database) pass(ctx context.Context, s *session) (time.Duration, error) {
	if err := c.observe(ctx, s); err != nil {
		return 0, err
	}
	if err := c.heal(ctx, s); err != nil {
		return 0, err
	}
	state, err := c.state(ctx, s)
	if err != nil {
		return 0, err
	}
	choice := ops.Next(s.values, state)
	unsettled := c.settle(ctx, s, choice)
	after, err := c.work(ctx, s, choice)
	if err == nil {
		err = unsettled
	}
	return after, err
}

// current returns a BehindError when the API server's database asks for something else than the cached one, or is paused: an operator
// that starts with an old list, or wakes up when another has taken over, would provision what has long been changed, and into the
// middle of an operation. It asks unless it did so a moment ago, so it costs one read for a database about which something happens.
func (c *Database) current(ctx context.Context, db engines.Database) error {
	if c.confirmed.Since(db.GetUID(), c.Journal.Now(), apply.LatestFor) {
		return nil
	}
	live := c.Engine.Kind().NewDatabase()
	if err := c.Live.Get(ctx, client.ObjectKeyFromObject(db), live); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the database once more: %w", err)
	}
	paused, _ := journal.Paused(live.DatabaseStatus())
	if live.GetUID() != db.GetUID() || live.GetGeneration() != db.GetGeneration() || live.GetDeletionTimestamp() != nil || paused {
		return &apply.BehindError{What: c.Engine.Kind().Database.Kind + " " + db.GetName()}
	}
	c.confirmed.Note(db.GetUID(), c.Journal.Now(), apply.LatestFor)
	return nil
}

// work operates or provisions.
func (c *Database) work(ctx context.Context, s *session, choice ops.Choice) (time.Duration, error) {
	if choice.Run != nil {
		return c.operate(ctx, s, *choice.Run)
	}
	after, err := c.provision(ctx, s)
	if commitErr := s.db.Commit(ctx); err == nil {
		err = commitErr
	}
	return after, err
}

// open reads the database and its requests. fresh is false when the cache is behind what this process wrote.
func (c *Database) open(ctx context.Context, key client.ObjectKey) (s *session, fresh bool, err error) {
	s = &session{}
	db := c.Engine.Kind().NewDatabase()
	switch err := c.Client.Get(ctx, key, db); {
	case apierrors.IsNotFound(err):
	case err != nil:
		return nil, false, err
	case c.Journal.Stale(db):
		return nil, false, nil
	default:
		c.Engine.Default(db) // what the webhook does, unless it was away
		s.db = c.Journal.OpenDatabase(db)
	}
	requests, err := c.list(ctx, c.Client, key)
	if err != nil {
		return nil, false, err
	}
	for _, r := range requests {
		if c.Journal.Stale(r) {
			return nil, false, nil
		}
		value := c.Engine.Lower(r)
		if s.db != nil && !value.Finished && (journal.Holds(s.db.Object.DatabaseStatus(), value) || over(s.db, value.UID) != nil) {
			value.Started = true // paused or even over, then crashed before the request said so
		}
		s.requests = append(s.requests, c.Journal.OpenRequest(r))
		s.values = append(s.values, value)
	}
	return s, true, nil
}

func (s *session) request(r ops.Request) *journal.Request {
	for _, candidate := range s.requests {
		if candidate.Object.GetUID() == r.UID {
			return candidate
		}
	}
	return nil
}

// list returns the requests about a database, as copies.
func (c *Database) list(ctx context.Context, from client.Reader, key client.ObjectKey) ([]engines.OpsRequest, error) {
	list := c.Engine.Kind().NewRequestList()
	if err := from.List(ctx, list, client.InNamespace(key.Namespace), client.MatchingFields{admit.IndexDatabase: key.Name}); err != nil {
		return nil, err
	}
	return requestsOf(list)
}

// settle tells the waiting requests why they wait and lets go of those that are over, each whatever becomes of the others.
func (c *Database) settle(ctx context.Context, s *session, choice ops.Choice) error {
	var errs []error
	for i, r := range s.requests {
		value := s.values[i]
		if choice.Run != nil && choice.Run.UID == value.UID {
			continue
		}
		if value.Finished || value.Deleting {
			r.TellLate()
			errs = append(errs, c.letGo(ctx, s, r))
			continue
		}
		if w, waits := choice.Waiting[value.UID]; waits {
			r.Wait(w)
			errs = append(errs, r.Commit(ctx))
		}
	}
	return errors.Join(errs...)
}

// letGo removes what a request that is over has left, and then its finalizer.
func (c *Database) letGo(ctx context.Context, s *session, r *journal.Request) error {
	if err := c.forget(ctx, s, r); err != nil {
		return err
	}
	return c.release(ctx, r)
}

// endWithoutDatabase ends what runs and releases everything, because the database is gone or on its way out. Nothing is
// undone: there is nothing left to undo. Each request is seen to, whatever becomes of the others.
func (c *Database) endWithoutDatabase(ctx context.Context, s *session) error {
	var errs []error
	for i, r := range s.requests {
		value := s.values[i]
		if value.Started && !value.Finished {
			r.Fail(opsv1.ReasonDatabaseGone, "the database was deleted while the operation was under way")
			value.Finished = true
		}
		if !value.Finished && !value.Deleting {
			r.Wait(ops.Wait{Reason: opsv1.ReasonDatabaseMissing, Message: absent(s.db, value.Database)})
		}
		err := r.Commit(ctx)
		if err == nil && (value.Finished || value.Deleting || s.db != nil) {
			err = c.release(ctx, r)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// absent says why a request has no database to work on.
func absent(db *journal.Database, name string) string {
	if db != nil {
		return "database " + name + " is being deleted"
	}
	return "there is no database " + name + " in this namespace"
}

// secret reads a Secret, of the user's or of the operator's, from the API server; Secrets are never cached.
func (c *Database) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	if err := c.Live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret); err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	return &secret, nil
}
