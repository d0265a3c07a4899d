package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
)

// finalize carries out the deletion policy and lets the database go. Everything else that the database owns is
// collected by the garbage collector.
func (c *Database) finalize(ctx context.Context, s *session) error {
	db := s.db.Object
	if !controllerutil.ContainsFinalizer(db, kubedbv1.Finalizer) {
		return nil
	}
	// Workloads go first, so that no pod comes back and makes its claim again.
	for _, g := range engines.Describe(c.Engine, db).Groups {
		if err := c.deleteWorkload(ctx, db, g.Workload); err != nil {
			return err
		}
		if letting, err := c.deleteDetached(ctx, db, g.Workload); err != nil || letting {
			return err
		}
	}
	if err := c.carryOutPolicy(ctx, db); err != nil {
		return err
	}
	controllerutil.RemoveFinalizer(db, kubedbv1.Finalizer)
	controllerutil.RemoveFinalizer(db, kubedbv1.KubeDBFinalizer) // nobody else is left to do that
	err := s.db.Patch(ctx, client.RawPatch(types.MergePatchType, finalizers(db)), apply.FieldOwner)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	c.Journal.Forget(db.GetUID())
	return nil
}

// carryOutPolicy deletes what the deletion policy does not keep.
func (c *Database) carryOutPolicy(ctx context.Context, db engines.Database) error {
	policy := *c.Engine.Settings(db).DeletionPolicy
	if policy == kubedbv1.DeletionDelete || policy == kubedbv1.DeletionWipeOut {
		if err := c.deleteClaims(ctx, db); err != nil {
			return err
		}
	}
	if policy != kubedbv1.DeletionWipeOut {
		return nil
	}
	if err := c.deleteCertificates(ctx, db); err != nil {
		return err
	}
	return c.deleteCredentials(ctx, db)
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

// claimsOf are the claims of a database's own pods of one workload.
func (c *Database) claimsOf(ctx context.Context, db engines.Database, workload string) ([]corev1.PersistentVolumeClaim, error) {
	var claims corev1.PersistentVolumeClaimList
	if err := c.Client.List(ctx, &claims, client.InNamespace(db.GetNamespace()),
		client.MatchingLabels(engines.SelectorLabels(c.Engine.Kind(), db))); err != nil {
		return nil, fmt.Errorf("listing claims: %w", err)
	}
	return slices.DeleteFunc(claims.Items, func(claim corev1.PersistentVolumeClaim) bool {
		return steps.WorkloadOf(claim.Name) != engines.VolumeData+"-"+workload
	}), nil
}

// deleteClaims deletes the claims of the database's own pods, told by kind, workload and ordinal: a database of another
// kind may have the same name.
func (c *Database) deleteClaims(ctx context.Context, db engines.Database) error {
	for _, g := range engines.Describe(c.Engine, db).Groups {
		claims, err := c.claimsOf(ctx, db, g.Workload)
		if err != nil {
			return err
		}
		for i := range claims {
			claim := &claims[i]
			if claim.DeletionTimestamp != nil {
				continue
			}
			if err := apply.DeleteExact(ctx, c.Client, claim); err != nil {
				return fmt.Errorf("deleting claim %s: %w", claim.Name, err)
			}
		}
	}
	return nil
}

// deleteCredentials deletes the Secrets that the operator made once for this database; a Secret of the user's stays.
func (c *Database) deleteCredentials(ctx context.Context, db engines.Database) error {
	objects, err := engines.Outline(c.Engine, db)
	if err != nil {
		return fmt.Errorf("finding the credentials: %w", err)
	}
	for _, auth := range objects.AuthSecrets {
		live, err := c.secret(ctx, auth.Secret.Namespace, auth.Secret.Name)
		if apierrors.IsNotFound(err) || err == nil && !c.madeFor(db, live) {
			continue
		}
		if err != nil {
			return err
		}
		if err := apply.DeleteExact(ctx, c.Client, live); err != nil {
			return fmt.Errorf("deleting Secret %s: %w", live.Name, err)
		}
	}
	return nil
}

// halt removes everything but claims, Secrets and certificates. The database is halted when its last pod has gone.
func (c *Database) halt(ctx context.Context, s *session) error {
	db := s.db.Object
	objects, err := engines.Outline(c.Engine, db)
	if err != nil {
		return fmt.Errorf("finding what to remove: %w", err)
	}
	var removed []client.Object
	if objects.ServiceAccount != nil {
		removed = append(removed, &corev1.ServiceAccount{ObjectMeta: named(objects.ServiceAccount)})
	}
	for _, service := range objects.Services {
		removed = append(removed, &corev1.Service{ObjectMeta: named(service)})
	}
	var leaving []string
	for _, g := range objects.Groups {
		pods, err := c.stopGroup(ctx, db, g.StatefulSet.Name)
		if err != nil {
			return err
		}
		leaving = append(leaving, pods...)
		removed = append(removed, &policyv1.PodDisruptionBudget{ObjectMeta: named(g.PDB)})
	}
	for _, o := range removed {
		if err := c.deleteOwned(ctx, db, o); err != nil {
			return err
		}
	}
	if err := c.dropStats(ctx, db, objects); err != nil {
		return err
	}
	s.db.Remove(kubedbv1.ConditionStalled)
	if len(leaving) > 0 {
		s.db.Set(kubedbv1.ConditionHalted, metav1.ConditionFalse, kubedbv1.ReasonHalting, "waiting for "+strings.Join(leaving, ", ")+" to go")
		return nil
	}
	s.db.Set(kubedbv1.ConditionHalted, metav1.ConditionTrue, kubedbv1.ReasonHaltedSuccessfully, "spec.halted is true")
	for _, condition := range []string{kubedbv1.ConditionReplicaReady, kubedbv1.ConditionAcceptingConnection, kubedbv1.ConditionReady} {
		s.db.Set(condition, metav1.ConditionFalse, kubedbv1.ReasonHalted, "spec.halted is true")
	}
	db.DatabaseStatus().ObservedGeneration = db.GetGeneration()
	return nil
}

// stopGroup deletes a workload and what a detached one has left, and returns the pods that are still there.
func (c *Database) stopGroup(ctx context.Context, db engines.Database, workload string) (leaving []string, err error) {
	if err := c.deleteWorkload(ctx, db, workload); err != nil {
		return nil, err
	}
	pods, err := c.Cluster.Pods(ctx, db, workload)
	if err != nil || len(pods) == 0 {
		return nil, err
	}
	for i := range pods {
		leaving = append(leaving, pods[i].Name)
	}
	_, err = c.deleteDetached(ctx, db, workload)
	return leaving, err
}

// deleteOwned deletes an object of that name if the database controls it.
func (c *Database) deleteOwned(ctx context.Context, db engines.Database, o client.Object) error {
	err := c.Client.Get(ctx, client.ObjectKeyFromObject(o), o)
	if err == nil && metav1.IsControlledBy(o, db) && o.GetDeletionTimestamp() == nil {
		err = apply.DeleteExact(ctx, c.Client, o)
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing %s: %w", o.GetName(), err)
	}
	return nil
}

func named(o client.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: o.GetNamespace(), Name: o.GetName()}
}
