package controllers

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
)

// vacant refuses to make a workload whose pods are run by one of the other kind.
func (c *Database) vacant(ctx context.Context, set *appsv1.StatefulSet) error {
	err := c.Apply.Vacant(ctx, client.ObjectKeyFromObject(set))
	var elsewhere *apply.ElsewhereError
	if errors.As(err, &elsewhere) {
		return &refusal{"OtherWorkloadKind", err}
	}
	return err
}

// deleteWorkload deletes a workload and its pods, also one that is of the other kind since an earlier setting of the
// operator: that is how a database moves from one kind to the other.
func (c *Database) deleteWorkload(ctx context.Context, db engines.Database, name string) error {
	set, err := c.Cluster.Workload(ctx, db, name)
	if err != nil {
		return err
	}
	var found client.Object
	if set != nil {
		found = c.Apply.Workloads.Object(set)
	} else if found, err = c.Apply.Elsewhere(ctx, client.ObjectKey{Namespace: db.GetNamespace(), Name: name}); err != nil {
		return err
	}
	if found == nil || found.GetDeletionTimestamp() != nil || !metav1.IsControlledBy(found, db) {
		return nil
	}
	uid := found.GetUID()
	err = c.Client.Delete(ctx, found, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting workload %s: %w", name, err)
	}
	return nil
}
