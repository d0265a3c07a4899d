package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/steps"
)

// LabelInstance names the database on everything that belongs to it.
const LabelInstance = "app.kubernetes.io/instance"

// collect deletes the saved revisions of earlier operations, and the rendered Secrets that only they named. It runs
// while an operation runs, so that the last one can always be looked up; on each pass, because one may be cut short.
func (c *Database) collect(ctx context.Context, db engines.Database, current *steps.Saved) error {
	var revisions appsv1.ControllerRevisionList
	if err := c.Client.List(ctx, &revisions, client.InNamespace(db.GetNamespace()), client.HasLabels{opsv1.LabelKind},
		client.MatchingLabels{LabelInstance: db.GetName()}); err != nil {
		return fmt.Errorf("listing saved revisions: %w", err)
	}
	for i := range revisions.Items {
		revision := &revisions.Items[i]
		if revision.Name == revisionName(current.Request, db.GetName()) || !metav1.IsControlledBy(revision, db) {
			continue
		}
		if err := c.collectOne(ctx, db, current, revision); err != nil {
			return err
		}
	}
	return nil
}

// collectOne deletes one saved revision, after the rendered Secrets that nothing else names.
func (c *Database) collectOne(ctx context.Context, db engines.Database, current *steps.Saved, revision *appsv1.ControllerRevision) error {
	var old steps.Saved
	if err := json.Unmarshal(revision.Data.Raw, &old); err != nil {
		return nil //nolint:nilerr // not one that this version wrote: it stays
	}
	if old.Request == current.Request {
		return nil // the record of its copies
	}
	keep, err := c.namedSecrets(ctx, db, current)
	if err != nil {
		return err
	}
	for name := range old.Secrets() {
		if keep[name] || !strings.HasPrefix(name, db.GetName()+"-") {
			continue
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: db.GetNamespace()}}
		if err := c.deleteOwnSecret(ctx, db, secret); err != nil {
			return err
		}
	}
	if err := client.IgnoreNotFound(c.Client.Delete(ctx, revision, client.Preconditions{UID: &revision.UID})); err != nil {
		return fmt.Errorf("deleting the saved revision %s: %w", revision.Name, err)
	}
	return nil
}

// namedSecrets are the rendered Secrets that the current operation or a pod still names.
func (c *Database) namedSecrets(ctx context.Context, db engines.Database, current *steps.Saved) (map[string]bool, error) {
	keep := current.Secrets()
	for _, g := range current.Topology.Groups {
		pods, err := c.Cluster.Pods(ctx, db, g.Workload)
		if err != nil {
			return nil, err
		}
		for i := range pods {
			for _, secret := range steps.SecretVolumes(pods[i].Spec) {
				keep[secret] = true
			}
		}
	}
	return keep, nil
}

// deleteOwnSecret deletes a Secret if the database controls it: a user's Secret that a pod mounts stays.
func (c *Database) deleteOwnSecret(ctx context.Context, db engines.Database, secret *corev1.Secret) error {
	live, err := c.secret(ctx, secret.Namespace, secret.Name)
	if err != nil || !metav1.IsControlledBy(live, db) {
		return client.IgnoreNotFound(err)
	}
	if err := client.IgnoreNotFound(c.Client.Delete(ctx, live, client.Preconditions{UID: &live.UID})); err != nil {
		return fmt.Errorf("deleting Secret %s: %w", live.Name, err)
	}
	return nil
}
