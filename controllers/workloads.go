package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
)

// vacant refuses to make a workload whose pods are run by one of the other kind.
func (c *Database) vacant(ctx context.Context, set *appsv1.StatefulSet) error {
	err := c.Apply.Vacant(ctx, client.ObjectKeyFromObject(set))
	var elsewhere *apply.ElsewhereError
	if errors.As(err, &elsewhere) {
		return &refusal{kubedbv1.ReasonOtherWorkloadKind, err}
	}
	return err
}

// claimsFree refuses claims that a database of another name or kind has left where pods of this one would mount them. Claims that
// somebody has made in advance carry no such labels, and are welcome.
func (c *Database) claimsFree(ctx context.Context, db engines.Database, workload string) error {
	var claims corev1.PersistentVolumeClaimList
	if err := c.Client.List(ctx, &claims, client.InNamespace(db.GetNamespace())); err != nil {
		return fmt.Errorf("listing claims: %w", err)
	}
	ours := labels.SelectorFromSet(engines.SelectorLabels(c.Engine.Kind(), db))
	for i := range claims.Items {
		claim := &claims.Items[i]
		if steps.WorkloadOf(claim.Name) == engines.VolumeData+"-"+workload && claim.Labels[engines.LabelInstance] != "" && !ours.Matches(labels.Set(claim.Labels)) {
			return &apply.ForeignError{Kind: "PersistentVolumeClaim", Name: claim.Name, Want: c.Engine.Kind().Database.Kind + " " + db.GetName(),
				Instead: "give the database another name"}
		}
	}
	return nil
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
	if err := apply.DeleteExact(ctx, c.Client, found, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		return fmt.Errorf("deleting workload %s: %w", name, err)
	}
	c.Apply.Forget(found.GetUID())
	return nil
}

// deleteDetached deletes what a detached workload has left: its pods and revisions have no owner that the garbage
// collector could follow. letting is true while the workload is still letting go of them, or goes before it has taken them
// back; the watch tells when it has gone.
func (c *Database) deleteDetached(ctx context.Context, db engines.Database, name string) (letting bool, err error) {
	set, err := c.Cluster.Workload(ctx, db, name)
	if err != nil {
		return false, err
	}
	if set != nil {
		pods, err := c.Cluster.Pods(ctx, db, name)
		strays := slices.ContainsFunc(pods, func(p corev1.Pod) bool { return !metav1.IsControlledBy(&p, set) })
		return strays || slices.Contains(set.Finalizers, metav1.FinalizerOrphanDependents), err
	}
	left, err := c.detached(ctx, db, name)
	if err != nil {
		return false, err
	}
	for _, o := range left {
		if metav1.GetControllerOf(o) != nil || o.GetDeletionTimestamp() != nil {
			continue
		}
		if err := apply.DeleteExact(ctx, c.Client, o); err != nil {
			return false, fmt.Errorf("deleting %s, which the detached workload %s has left: %w", o.GetName(), name, err)
		}
	}
	return false, nil
}

// detached are the pods and revisions that are named after a workload of the database.
func (c *Database) detached(ctx context.Context, db engines.Database, name string) ([]client.Object, error) {
	pods, err := c.Cluster.Pods(ctx, db, name)
	if err != nil {
		return nil, err
	}
	var left []client.Object
	for i := range pods {
		left = append(left, &pods[i])
	}
	var revisions appsv1.ControllerRevisionList // of workloads they are not cached
	if err := c.Live.List(ctx, &revisions, client.InNamespace(db.GetNamespace()),
		client.MatchingLabels(engines.SelectorLabels(c.Engine.Kind(), db))); err != nil {
		return nil, fmt.Errorf("listing the revisions of %s: %w", name, err)
	}
	for i := range revisions.Items {
		if strings.HasPrefix(revisions.Items[i].Name, name+"-") {
			left = append(left, &revisions.Items[i])
		}
	}
	return left, nil
}
