package controllers

import (
	"context"
	"errors"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/internal/steps"
)

// Secrets, quotas and objects of others are not watched, so a database that lacks something is looked at again: soon at first, and
// after a fourth of the time that it has lacked it.
const (
	soonest = 10 * time.Second
	latest  = 2 * time.Minute
)

// lacks sets a condition for want of something and returns how long the database rests then.
func (c *Database) lacks(s *session, condition string, status metav1.ConditionStatus, reason, message string) time.Duration {
	since := c.Journal.Now()
	if said := meta.FindStatusCondition(s.db.Object.DatabaseStatus().Conditions, condition); said != nil && said.Status == status && said.Reason == reason {
		since = said.LastTransitionTime.Time
	}
	s.db.Set(condition, status, reason, message)
	return min(max(soonest, c.Journal.Now().Sub(since)/4), latest)
}

// provision makes the cluster hold what the database's spec asks for. It never touches a paused database, and never
// the pod template of a workload that exists.
func (c *Database) provision(ctx context.Context, s *session) (time.Duration, error) {
	db := s.db.Object
	if paused, _ := journal.Paused(db.DatabaseStatus()); paused {
		return 0, nil
	}
	if err := c.current(ctx, db); err != nil {
		return 0, err
	}
	if controllerutil.AddFinalizer(db, kubedbv1.Finalizer) {
		return 0, s.db.Patch(ctx, client.RawPatch(types.MergePatchType, finalizers(db)), apply.FieldOwner)
	}
	if *c.Engine.Settings(db).Halted {
		return 0, c.halt(ctx, s)
	}
	version, err := c.version(ctx, db)
	if err != nil {
		return c.stall(s, err)
	}
	if err := c.standing(db, version); err != nil {
		return c.stall(s, err)
	}
	s.db.Remove(kubedbv1.ConditionHalted)
	s.db.Set(kubedbv1.ConditionProvisioningStarted, metav1.ConditionTrue, kubedbv1.ReasonProvisioningStarted,
		"the operator provisions this database")
	return c.furnish(ctx, s, version)
}

// furnish makes the certificates and the objects of a database that is to run.
func (c *Database) furnish(ctx context.Context, s *session, version *catalogv1.VersionSpec) (time.Duration, error) {
	db := s.db.Object
	tls, waits, after, err := c.secure(ctx, s)
	if err != nil {
		return c.stall(s, err)
	}
	if waits {
		s.db.Remove(kubedbv1.ConditionStalled)
		return after, nil
	}
	objects, cached := c.rendered.get(db, version, tls)
	if !cached {
		if objects, err = c.render(ctx, db, version, tls); err != nil {
			return c.stall(s, err)
		}
	}
	if err := c.applyAll(ctx, s, objects, cached); err != nil {
		return c.stall(s, err)
	}
	c.rendered.put(db, version, tls, objects)
	s.db.Remove(kubedbv1.ConditionStalled)
	s.db.Object.DatabaseStatus().ObservedGeneration = db.GetGeneration()
	return after, c.upToDate(ctx, s, objects)
}

// stall says on the database why it cannot be provisioned. What may come right by itself is looked at again.
func (c *Database) stall(s *session, err error) (time.Duration, error) {
	refused, isRefused := errors.AsType[*refusal](err)
	var foreign *apply.ForeignError
	lacks := func(reason string, why error) (time.Duration, error) {
		return c.lacks(s, kubedbv1.ConditionStalled, metav1.ConditionTrue, reason, why.Error()), nil
	}
	switch {
	case isRefused:
		after, _ := lacks(refused.reason, refused)
		if refused.reason == kubedbv1.ReasonVersionNotFound {
			after = 0 // the watch tells
		}
		return after, nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return 0, nil // the database goes next, and the watch tells of that
	case errors.As(err, &foreign):
		return lacks(kubedbv1.ReasonNameTaken, foreign)
	case refusedAsIs(err), apierrors.IsForbidden(err):
		return lacks(kubedbv1.ReasonObjectRefused, err)
	}
	return 0, err
}

// refusedAsIs tells whether the API server has said that an object can never be as it was asked for.
func refusedAsIs(err error) bool { return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) }

// applyAll applies everything that the database owns. Secrets are made only when the spec is new to this process.
func (c *Database) applyAll(ctx context.Context, s *session, objects engines.Objects, cached bool) error {
	db := s.db.Object
	if !cached {
		if err := c.createSecrets(ctx, db, objects); err != nil {
			return err
		}
	}
	owned := []client.Object{}
	if objects.ServiceAccount != nil {
		owned = append(owned, objects.ServiceAccount)
	}
	for _, service := range objects.Services {
		owned = append(owned, service)
	}
	for _, g := range objects.Groups {
		if g.PDB != nil {
			owned = append(owned, g.PDB)
		}
	}
	for _, o := range owned {
		if _, err := c.Apply.Owned(ctx, db, o.DeepCopyObject().(client.Object)); err != nil {
			return err
		}
	}
	for _, g := range objects.Groups {
		if err := c.applyWorkload(ctx, db, g); err != nil {
			return err
		}
	}
	return c.dropStats(ctx, db, objects)
}

// dropStats removes the stats Service of a database that asks for no metrics any more: its targets would be down for ever.
func (c *Database) dropStats(ctx context.Context, db engines.Database, objects engines.Objects) error {
	stats := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: db.GetNamespace(), Name: engines.StatsService(db.GetName())}}
	if slices.ContainsFunc(objects.Services, func(s *corev1.Service) bool { return s.Name == stats.Name }) {
		return nil
	}
	return c.deleteOwned(ctx, db, stats)
}

// createSecrets creates what is created once: credentials, and the rendered configuration under its content's hash. It
// looks before it writes, so that an operator that starts writes nothing.
func (c *Database) createSecrets(ctx context.Context, db engines.Database, objects engines.Objects) error {
	for _, auth := range objects.AuthSecrets {
		if err := c.createCredentials(ctx, db, auth, objects.Groups); err != nil {
			return err
		}
	}
	for _, g := range objects.Groups {
		live, err := c.Cluster.Workload(ctx, db, g.StatefulSet.Name)
		if err != nil {
			return err
		}
		if live != nil && !steps.Mounts(live, g.Config.Name) {
			continue // the operation that brings it to the pods makes it, and knows of it later
		}
		if err := c.createConfig(ctx, db, g.Config); err != nil {
			return err
		}
	}
	return nil
}

// createConfig creates a rendered Secret, unless it is there.
func (c *Database) createConfig(ctx context.Context, db engines.Database, config *corev1.Secret) error {
	live, err := c.secret(ctx, config.Namespace, config.Name)
	if apierrors.IsNotFound(err) || err == nil && !apply.Made(live, config, db) {
		return c.Apply.CreateOnly(ctx, db, config, true)
	}
	return err
}

// applyWorkload creates the workload, or brings everything but its pod template up to date.
func (c *Database) applyWorkload(ctx context.Context, db engines.Database, g engines.GroupObjects) error {
	live, err := c.Cluster.Workload(ctx, db, g.StatefulSet.Name)
	if err != nil {
		return err
	}
	sure := func() error { return c.current(ctx, db) }
	if live == nil {
		if err := c.vacant(ctx, g.StatefulSet); err != nil {
			return err
		}
		if err := c.claimsFree(ctx, db, g.StatefulSet.Name); err != nil {
			return err
		}
		restart, err := c.stampOf(ctx, db, g.StatefulSet.Name)
		if err != nil {
			return err
		}
		set, err := c.workload(g.StatefulSet, restart)
		if err != nil {
			return err
		}
		_, err = c.Apply.Owned(ctx, db, set, sure)
		return err
	}
	set := g.StatefulSet.DeepCopy()
	set.Spec.Template = *live.Spec.Template.DeepCopy()
	set.Spec.VolumeClaimTemplates = live.Spec.VolumeClaimTemplates
	metav1.SetMetaDataAnnotation(&set.ObjectMeta, opsv1.AnnotationTemplateHash, hashOf(live))
	delete(set.Annotations, opsv1.AnnotationCertificates)
	if mounted, ok := live.Annotations[opsv1.AnnotationCertificates]; ok {
		metav1.SetMetaDataAnnotation(&set.ObjectMeta, opsv1.AnnotationCertificates, mounted)
	}
	_, err = c.Apply.Owned(ctx, db, set, sure)
	return err
}

// stampOf returns the restart stamp that the pods of a missing workload carry, so that a workload made again does not
// make them look out of date.
func (c *Database) stampOf(ctx context.Context, db engines.Database, workload string) (string, error) {
	pods, err := c.Cluster.Pods(ctx, db, workload)
	for i := range pods {
		if stamp := pods[i].Annotations[opsv1.AnnotationRestart]; stamp != "" {
			return stamp, err
		}
	}
	return "", err
}

func hashOf(set *appsv1.StatefulSet) string { return set.Annotations[opsv1.AnnotationTemplateHash] }
