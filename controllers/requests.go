package controllers

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/ops"
)

// requestsOf unpacks a list; each item is a copy that the caller may change.
func requestsOf(list engines.ObjectList) ([]engines.OpsRequest, error) {
	var requests []engines.OpsRequest
	err := meta.EachListItem(list, func(o runtime.Object) error {
		r, ok := o.(engines.OpsRequest)
		if !ok {
			return fmt.Errorf("%T is not an OpsRequest", o)
		}
		requests = append(requests, r)
		return nil
	})
	return requests, err
}

// claim makes the database the request's owner and sets the finalizer, in one patch. The owner is set here, where the
// database's UID is known, and not at admission: a stale UID would have the request collected.
func (c *Database) claim(ctx context.Context, s *session, r *journal.Request) error {
	before := r.Object.DeepCopyObject().(engines.OpsRequest)
	owners := slices.DeleteFunc(slices.Clone(r.Object.GetOwnerReferences()), func(o metav1.OwnerReference) bool {
		return o.Kind == c.Engine.Kind().Database.Kind && o.UID != s.db.Object.GetUID()
	})
	r.Object.SetOwnerReferences(owners)
	if err := controllerutil.SetOwnerReference(s.db.Object, r.Object, c.Client.Scheme()); err != nil {
		return fmt.Errorf("setting the owner of %s: %w", r.Object.GetName(), err)
	}
	controllerutil.AddFinalizer(r.Object, opsv1.Finalizer)
	return c.patchMetadata(ctx, r, before)
}

// release removes the finalizer of a request that is over.
func (c *Database) release(ctx context.Context, r *journal.Request) error {
	before := r.Object.DeepCopyObject().(engines.OpsRequest)
	if !controllerutil.RemoveFinalizer(r.Object, opsv1.Finalizer) {
		return nil
	}
	return client.IgnoreNotFound(c.patchMetadata(ctx, r, before))
}

func (c *Database) patchMetadata(ctx context.Context, r *journal.Request, before engines.OpsRequest) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	body, err := patch.Data(r.Object)
	if err != nil {
		return err
	}
	if !slices.Equal(before.GetFinalizers(), r.Object.GetFinalizers()) || !slices.EqualFunc(before.GetOwnerReferences(),
		r.Object.GetOwnerReferences(), func(a, b metav1.OwnerReference) bool { return a.UID == b.UID }) {
		return r.PatchMetadata(ctx, client.RawPatch(patch.Type(), body), apply.FieldOwner)
	}
	return nil
}

// state is what the queue has to know about the database.
func (c *Database) state(ctx context.Context, s *session) (ops.DatabaseState, error) {
	status := s.db.Object.DatabaseStatus()
	_, byUser := journal.Paused(status)
	state := ops.DatabaseState{
		Halted:       *c.Engine.Settings(s.db.Object).Halted,
		Ready:        ops.DatabasePhase(status.Conditions) == kubedbv1.PhaseReady,
		PausedByUser: byUser,
		LastFailed:   ops.LastFailed(status),
	}
	for _, r := range s.values {
		if journal.Holds(status, r) {
			state.Holder = r.UID
		}
	}
	var err error
	if len(s.values) > 0 {
		state.Unmade, err = c.unprovisioned(ctx, s.db.Object)
	}
	return state, err
}

// unprovisioned names a workload of the database that is not there, or has not the pods that the spec asks for; empty when there
// is none. Provisioning comes first, and a request pauses it.
func (c *Database) unprovisioned(ctx context.Context, db engines.Database) (string, error) {
	for _, g := range engines.Describe(c.Engine, db).Groups {
		live, err := c.Cluster.Workload(ctx, db, g.Workload)
		if err != nil || live == nil || live.Spec.Replicas != nil && *live.Spec.Replicas != g.Replicas {
			return g.Workload, err
		}
	}
	return "", nil
}

// heal removes a pause of ours that no request holds any more. The requests are read from the API server first: a
// cache that is behind must not open the gate under a running operation.
func (c *Database) heal(ctx context.Context, s *session) error {
	status := s.db.Object.DatabaseStatus()
	if paused, byUser := journal.Paused(status); !paused || byUser {
		return nil
	}
	for _, r := range s.values {
		if !r.Finished && journal.Holds(status, r) {
			return nil
		}
	}
	live, err := c.list(ctx, c.Live, client.ObjectKeyFromObject(s.db.Object))
	if err != nil {
		return err
	}
	for _, r := range live {
		if value := c.Engine.Lower(r); !value.Finished && journal.Holds(status, value) {
			return nil
		}
	}
	logf.FromContext(ctx).Info("removing a pause that no request holds")
	s.db.Remove(kubedbv1.ConditionPaused)
	return nil
}
