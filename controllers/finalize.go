package controllers

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
)

// finalize carries out the deletion policy and lets the database go. Everything else that the database owns is
// collected by the garbage collector.
func (c *Database) finalize(ctx context.Context, s *session) (ctrl.Result, error) {
	db := s.db.Object
	if !controllerutil.ContainsFinalizer(db, kubedbv1.Finalizer) {
		return ctrl.Result{}, nil
	}
	// Workloads go first, so that no pod comes back and makes its claim again.
	for _, g := range engines.Describe(c.Engine, db).Groups {
		if err := c.deleteWorkload(ctx, db, g.Workload); err != nil {
			return ctrl.Result{}, err
		}
	}
	policy := *c.Engine.Settings(db).DeletionPolicy
	if policy == kubedbv1.DeletionDelete || policy == kubedbv1.DeletionWipeOut {
		if err := c.deleteClaims(ctx, db); err != nil {
			return ctrl.Result{}, err
		}
	}
	if policy == kubedbv1.DeletionWipeOut {
		if err := c.deleteCredentials(ctx, db); err != nil {
			return ctrl.Result{}, err
		}
	}
	controllerutil.RemoveFinalizer(db, kubedbv1.Finalizer)
	err := s.db.PatchSpec(ctx, client.RawPatch("application/merge-patch+json", finalizers(db)), apply.FieldOwner)
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: conflictRetry}, nil
	}
	c.Journal.Forget(db.GetUID())
	return ctrl.Result{}, client.IgnoreNotFound(err)
}

// finalizers is a merge patch that writes the object's finalizers and nothing else.
func finalizers(db engines.Database) []byte {
	list := db.GetFinalizers()
	if list == nil {
		list = []string{}
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": db.GetResourceVersion(), "finalizers": list,
	}})
	if err != nil {
		panic(err) // strings always marshal
	}
	return body
}

func (c *Database) deleteWorkload(ctx context.Context, db engines.Database, name string) error {
	set, err := c.Cluster.Workload(ctx, db, name)
	if err != nil || set == nil || set.DeletionTimestamp != nil {
		return err
	}
	err = c.Client.Delete(ctx, set, client.Preconditions{UID: &set.UID}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting StatefulSet %s: %w", name, err)
	}
	return nil
}

// deleteClaims deletes the claims of the database's own pods, told by workload and ordinal: a label alone is no proof.
func (c *Database) deleteClaims(ctx context.Context, db engines.Database) error {
	for _, g := range engines.Describe(c.Engine, db).Groups {
		var claims corev1.PersistentVolumeClaimList
		if err := c.Client.List(ctx, &claims, client.InNamespace(db.GetNamespace()),
			client.MatchingLabels{LabelInstance: db.GetName()}); err != nil {
			return fmt.Errorf("listing claims: %w", err)
		}
		for i := range claims.Items {
			claim := &claims.Items[i]
			if steps.WorkloadOf(claim.Name) != "data-"+g.Workload || claim.DeletionTimestamp != nil {
				continue
			}
			err := c.Client.Delete(ctx, claim, client.Preconditions{UID: &claim.UID})
			if client.IgnoreNotFound(err) != nil {
				return fmt.Errorf("deleting claim %s: %w", claim.Name, err)
			}
		}
	}
	return nil
}

// deleteCredentials deletes the Secrets that the operator made once for this database; a Secret of the user's stays.
func (c *Database) deleteCredentials(ctx context.Context, db engines.Database) error {
	version, err := c.version(ctx, db)
	if err != nil {
		version = &catalogv1.VersionSpec{}
	}
	objects, err := c.Engine.Render(db, c.namesOnly(db, version))
	if err != nil {
		return fmt.Errorf("finding the credentials: %w", err)
	}
	for _, auth := range objects.AuthSecrets {
		live, err := c.secret(ctx, auth.Secret.Namespace, auth.Secret.Name)
		if apierrors.IsNotFound(err) || err == nil && live.Labels[LabelInstance] != db.GetName() {
			continue
		}
		if err == nil {
			err = c.Client.Delete(ctx, live, client.Preconditions{UID: &live.UID})
		}
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting Secret %s: %w", auth.Secret.Name, err)
		}
	}
	return nil
}

// namesOnly are inputs for finding out what objects are called. The Secrets that the configuration names count as empty:
// in a namespace that is being deleted they may be gone.
func (c *Database) namesOnly(db engines.Database, version *catalogv1.VersionSpec) engines.Inputs {
	in := engines.Inputs{Version: *version, UserConfig: map[string]map[string][]byte{}}
	for _, g := range c.Engine.Settings(db).Groups {
		if *g.Configuration != nil {
			in.UserConfig[(*g.Configuration).SecretName] = nil
		}
	}
	return in
}

// halt removes workloads, Services and budgets and keeps claims and Secrets.
func (c *Database) halt(ctx context.Context, s *session, version *catalogv1.VersionSpec) error {
	db := s.db.Object
	objects, cached := c.rendered.get(db, version)
	if !cached {
		var err error
		if objects, err = c.Engine.Render(db, c.namesOnly(db, version)); err != nil {
			return fmt.Errorf("finding what to remove: %w", err)
		}
	}
	removed := []client.Object{}
	for _, service := range objects.Services {
		removed = append(removed, &corev1.Service{ObjectMeta: named(service)})
	}
	for _, g := range objects.Groups {
		if err := c.deleteWorkload(ctx, db, g.StatefulSet.Name); err != nil {
			return err
		}
		removed = append(removed, &policyv1.PodDisruptionBudget{ObjectMeta: named(g.PDB)})
	}
	for _, o := range removed {
		err := c.Client.Get(ctx, client.ObjectKeyFromObject(o), o)
		if err == nil && metav1.IsControlledBy(o, db) && o.GetDeletionTimestamp() == nil {
			uid := o.GetUID()
			err = c.Client.Delete(ctx, o, client.Preconditions{UID: &uid})
		}
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("removing %s: %w", o.GetName(), err)
		}
	}
	s.db.Set(kubedbv1.ConditionHalted, metav1.ConditionTrue, "DatabaseHaltedSuccessfully", "spec.halted is true")
	for _, condition := range []string{kubedbv1.ConditionReplicaReady, kubedbv1.ConditionAcceptingConnection, kubedbv1.ConditionReady} {
		s.db.Set(condition, metav1.ConditionFalse, "Halted", "spec.halted is true")
	}
	db.DatabaseStatus().ObservedGeneration = db.GetGeneration()
	return nil
}

func named(o client.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: o.GetNamespace(), Name: o.GetName()}
}
