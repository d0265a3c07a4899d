// Package controllers drives: one controller per kind, keyed by database, either carries out the request whose turn it
// is or provisions what the database's spec asks for. Being keyed by database, it needs no locks.
package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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

	rendered renderings
}

// session is one pass over one database.
type session struct {
	// db is nil when the database does not exist.
	db       *journal.Database
	requests []*journal.Request
	values   []ops.Request
}

// Reconcile makes one pass.
func (c *Database) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	s, fresh, err := c.open(ctx, req.NamespacedName)
	if err != nil || !fresh {
		return ctrl.Result{}, err
	}
	if s.db == nil {
		c.rendered.forget(req.NamespacedName)
		return ctrl.Result{}, c.endWithoutDatabase(ctx, s)
	}
	if s.db.Object.GetDeletionTimestamp() != nil {
		if err := c.endWithoutDatabase(ctx, s); err != nil {
			return ctrl.Result{}, err
		}
		return c.finalize(ctx, s)
	}
	after, err := c.pass(ctx, s)
	if apierrors.IsConflict(err) {
		// Somebody wrote in between; the watch brings the newer object.
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	return ctrl.Result{RequeueAfter: after}, err
}

// conflictRetry is for the rare case that the newer object had arrived before the conflict was seen.
const conflictRetry = 100 * time.Millisecond

// pass either operates or provisions, and tells everyone who waits why.
func (c *Database) pass(ctx context.Context, s *session) (time.Duration, error) {
	if err := c.observe(ctx, s); err != nil {
		return 0, err
	}
	if err := c.heal(ctx, s); err != nil {
		return 0, err
	}
	choice := ops.Next(s.values, c.state(s))
	if err := c.settle(ctx, s, choice); err != nil {
		return 0, err
	}
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
		if s.db != nil && !value.Finished && journal.Holds(s.db.Object.DatabaseStatus(), value) {
			value.Started = true // paused, then crashed before the request said so
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

// IndexDatabase is the cache index of requests by the name of their database.
const IndexDatabase = "databaseRef"

// list returns the requests about a database, as copies.
func (c *Database) list(ctx context.Context, from client.Reader, key client.ObjectKey) ([]engines.OpsRequest, error) {
	list := c.Engine.Kind().NewRequestList()
	field := IndexDatabase
	if from == c.Live {
		field = "spec.databaseRef.name"
	}
	if err := from.List(ctx, list, client.InNamespace(key.Namespace), client.MatchingFields{field: key.Name}); err != nil {
		return nil, err
	}
	return requestsOf(list)
}

// settle tells the waiting requests why they wait and lets go of those that are over.
func (c *Database) settle(ctx context.Context, s *session, choice ops.Choice) error {
	for i, r := range s.requests {
		value := s.values[i]
		if choice.Run != nil && choice.Run.UID == value.UID {
			continue
		}
		if value.Finished || value.Deleting {
			if err := c.release(ctx, r); err != nil {
				return err
			}
			continue
		}
		if w, waits := choice.Waiting[value.UID]; waits {
			r.Wait(w)
			if err := r.Commit(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// endWithoutDatabase ends what runs and releases everything, because the database is gone or on its way out. Nothing is
// undone: there is nothing left to undo.
func (c *Database) endWithoutDatabase(ctx context.Context, s *session) error {
	for i, r := range s.requests {
		value := s.values[i]
		if value.Started && !value.Finished {
			r.Fail(opsv1.ReasonDatabaseGone, "the database was deleted while the operation was under way")
			value.Finished = true
		}
		if !value.Finished && !value.Deleting {
			r.Wait(ops.Wait{Reason: opsv1.ReasonDatabaseMissing, Message: "there is no database " + value.Database + " in this namespace"})
		}
		if err := r.Commit(ctx); err != nil {
			return err
		}
		if value.Finished || value.Deleting || s.db != nil {
			if err := c.release(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// hasSecret reads a user's Secret from the API server; Secrets are never cached.
func (c *Database) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := c.Live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret)
	return &secret, err
}
