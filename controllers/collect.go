package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// collect deletes the saved revisions of earlier operations, and the rendered Secrets that only they named. It runs
// while an operation runs, so that the last one can always be looked up; on each pass, because one may be cut short. One that
// cannot be deleted keeps none of the others.
func (c *Database) collect(ctx context.Context, o *operation) error {
	db := o.db.Object
	var revisions appsv1.ControllerRevisionList
	if err := c.Client.List(ctx, &revisions, client.InNamespace(db.GetNamespace()), client.HasLabels{opsv1.LabelKind},
		client.MatchingLabels{engines.LabelInstance: db.GetName()}); err != nil {
		return fmt.Errorf("listing saved revisions: %w", err)
	}
	var errs []error
	for i := range revisions.Items {
		revision := &revisions.Items[i]
		if !metav1.IsControlledBy(revision, db) || !older(revision.ResourceVersion, o.savedVersion) {
			continue
		}
		errs = append(errs, c.collectOne(ctx, o, revision))
	}
	return errors.Join(errs...)
}

// older tells whether a saved revision was made before another, by their resource versions; neither is ever changed. Only an
// operator whose request is over, and which does not know that, comes across a newer one.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

// collectOne deletes one saved revision, after the rendered Secrets that nothing else names.
func (c *Database) collectOne(ctx context.Context, o *operation, revision *appsv1.ControllerRevision) error {
	db, current := o.db.Object, o.saved
	var old steps.Saved
	if err := json.Unmarshal(revision.Data.Raw, &old); err != nil {
		return nil //nolint:nilerr // not one that this version wrote: it stays
	}
	if old.Request == current.Request {
		return nil // the record of its copies
	}
	if err := c.Executor.Recall(ctx, o.target(c, ops.After, steps.End{})); err != nil {
		return err
	}
	busy, err := c.collectSecrets(ctx, db, &old, current)
	if err != nil || busy {
		return err
	}
	if err := apply.DeleteExact(ctx, c.Client, revision); err != nil {
		return fmt.Errorf("deleting the saved revision %s: %w", revision.Name, err)
	}
	return nil
}

// collectSecrets deletes the rendered Secrets that only the old revision names. busy is true when pods still mount one: the
// revision stays too then, or nobody would know of that Secret later.
func (c *Database) collectSecrets(ctx context.Context, db engines.Database, old, current *steps.Saved) (busy bool, err error) {
	mounted, err := c.mountedSecrets(ctx, db, current)
	if err != nil {
		return false, err
	}
	needed := current.Secrets()
	var unused []string
	for name := range old.Secrets() {
		switch {
		case needed[name] || !strings.HasPrefix(name, db.GetName()+"-"):
		case mounted[name]:
			busy = true
		default:
			unused = append(unused, name)
		}
	}
	return busy, c.Executor.RemoveSecrets(ctx, db, unused) // a user's Secret that a pod mounted stays
}

// mountedSecrets are the Secrets that the database's pods mount.
func (c *Database) mountedSecrets(ctx context.Context, db engines.Database, current *steps.Saved) (map[string]bool, error) {
	mounted := map[string]bool{}
	for _, g := range current.Topology.Groups {
		pods, err := c.Cluster.Pods(ctx, db, g.Workload)
		if err != nil {
			return nil, err
		}
		for i := range pods {
			for _, secret := range steps.SecretVolumes(pods[i].Spec) {
				mounted[secret] = true
			}
		}
	}
	return mounted, nil
}
