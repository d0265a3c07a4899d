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
		var old steps.Saved
		if revision.Name == revisionName(current.Request, db.GetName()) || !metav1.IsControlledBy(revision, db) ||
			json.Unmarshal(revision.Data.Raw, &old) != nil {
			continue
		}
		mounted, err := c.mountedSecrets(ctx, db, current)
		if err != nil {
			return err
		}
		if err := c.forget(ctx, db, revision, &old, current, mounted); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes a saved revision after the Secrets that only it named. While a pod still mounts one of them it stays, or
// nobody would know of that Secret later.
func (c *Database) forget(ctx context.Context, db engines.Database, revision *appsv1.ControllerRevision, old, current *steps.Saved,
	mounted map[string]bool,
) error {
	needed, busy := current.Secrets(), false
	for name := range old.Secrets() {
		if needed[name] || !strings.HasPrefix(name, db.GetName()+"-") {
			continue
		}
		if mounted[name] {
			busy = true
			continue
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: db.GetNamespace()}}
		if err := c.deleteOwnSecret(ctx, db, secret); err != nil {
			return err
		}
	}
	if busy {
		return nil
	}
	if err := client.IgnoreNotFound(c.Client.Delete(ctx, revision, client.Preconditions{UID: &revision.UID})); err != nil {
		return fmt.Errorf("deleting the saved revision %s: %w", revision.Name, err)
	}
	return nil
}

// mountedSecrets are the Secrets that a pod mounts.
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
