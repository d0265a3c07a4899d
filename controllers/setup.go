package controllers

import (
	"context"
	"fmt"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
)

// An error is tried again after the first back-off, then after twice that, and so on up to the last.
const (
	firstBackOff = 5 * time.Millisecond
	lastBackOff  = 30 * time.Second
)

// CacheOptions limits the watch caches to our own objects and to the fields that are read, so that memory follows the
// number of databases and not the size of the cluster.
func CacheOptions(kinds []engines.Engine, workloads apply.Workloads, certManager bool) cache.Options {
	ours := labels.SelectorFromSet(labels.Set{engines.LabelManagedBy: engines.ManagedBy})
	saved, err := labels.NewRequirement(opsv1.LabelKind, selection.Exists, nil)
	if err != nil {
		panic(err) // a constant
	}
	// Claims carry the workload's selector labels only, so they are told by the name of their kind.
	names := make([]string, 0, len(kinds))
	for _, e := range kinds {
		names = append(names, e.Kind().Label())
	}
	claims, err := labels.NewRequirement(engines.LabelName, selection.In, names)
	if err != nil {
		panic(err) // kinds are constants
	}
	options := cache.Options{
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Pod{}:                   {Label: ours},
			&corev1.PersistentVolumeClaim{}: {Label: labels.NewSelector().Add(*claims)},
			&corev1.Service{}:               {Label: ours},
			&corev1.ServiceAccount{}:        {Label: ours},
			workloads.New():                 {Label: ours},
			&appsv1.ControllerRevision{}:    {Label: labels.NewSelector().Add(*saved)},
		},
	}
	if certManager {
		options.ByObject[&cmv1.Certificate{}] = cache.ByObject{Label: ours}
	}
	return options
}

// setupIndexes adds the indexes that all kinds share.
func setupIndexes(ctx context.Context, mgr ctrl.Manager) error {
	byWorkload := func(o client.Object) []string { return []string{steps.WorkloadOf(o.GetName())} }
	if err := mgr.GetFieldIndexer().IndexField(ctx, &corev1.Pod{}, steps.IndexWorkload, byWorkload); err != nil {
		return fmt.Errorf("indexing pods: %w", err)
	}
	return nil
}

// Setup registers the controller of one kind.
func (c *Database) Setup(ctx context.Context, mgr ctrl.Manager, concurrency int) error {
	kind := c.Engine.Kind()
	byDatabase := func(o client.Object) []string {
		if r, ok := o.(engines.OpsRequest); ok {
			return []string{r.RequestSpec().DatabaseRef.Name}
		}
		return nil
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, kind.NewRequest(), admit.IndexDatabase, byDatabase); err != nil {
		return fmt.Errorf("indexing %s: %w", kind.Request.Kind, err)
	}
	toDatabase := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		if names := byDatabase(o); len(names) == 1 && names[0] != "" {
			return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: names[0]}}}
		}
		return nil
	})
	b := ctrl.NewControllerManagedBy(mgr).
		Named(kind.DatabaseResource).
		For(kind.NewDatabase()).
		Owns(c.Cluster.Workloads.New()).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Watches(kind.NewRequest(), toDatabase).
		Watches(&policyv1.PodDisruptionBudget{}, handler.EnqueueRequestsFromMapFunc(c.ofBudget)).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(c.ofLabels)).
		Watches(&corev1.PersistentVolumeClaim{}, handler.EnqueueRequestsFromMapFunc(c.ofLabels)).
		Watches(kind.NewVersion(), handler.EnqueueRequestsFromMapFunc(c.ofVersion)).
		Watches(&appsv1.ControllerRevision{}, handler.Funcs{}). // only cached: a saved revision never changes
		WithOptions(controller.Options{
			MaxConcurrentReconciles: concurrency,
			// Every pass may find the answer, and a timeout is noticed by a pass: no pause longer than this one.
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstBackOff, lastBackOff),
		})
	if c.CertManager {
		b = b.Owns(&cmv1.Certificate{}).Owns(&cmv1.Issuer{})
	}
	return b.Complete(c)
}

// ofLabels finds the database of a pod, a claim or a budget. The label is a hint for the queue only; nothing is decided by it.
func (c *Database) ofLabels(_ context.Context, o client.Object) []reconcile.Request {
	l := o.GetLabels()
	if l[engines.LabelName] != c.Engine.Kind().Label() || l[engines.LabelInstance] == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: l[engines.LabelInstance]}}}
}

// ofBudget finds the databases that a PodDisruptionBudget may concern: its own, or any in the namespace when it is a user's.
func (c *Database) ofBudget(ctx context.Context, o client.Object) []reconcile.Request {
	if own := c.ofLabels(ctx, o); own != nil || o.GetLabels()[engines.LabelManagedBy] == engines.ManagedBy {
		return own
	}
	return c.databases(ctx, func(engines.Database) bool { return true }, client.InNamespace(o.GetNamespace()))
}

// ofVersion finds the databases of a catalog entry, which may have waited for it.
func (c *Database) ofVersion(ctx context.Context, o client.Object) []reconcile.Request {
	return c.databases(ctx, func(db engines.Database) bool { return *c.Engine.Settings(db).Version == o.GetName() })
}

// databases returns a queue entry for each database that is wanted.
func (c *Database) databases(ctx context.Context, wanted func(engines.Database) bool, opts ...client.ListOption) []reconcile.Request {
	list := c.Engine.Kind().NewDatabaseList()
	if err := c.Client.List(ctx, list, opts...); err != nil {
		return nil
	}
	var requests []reconcile.Request
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		if db, ok := o.(engines.Database); ok && wanted(db) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(db)})
		}
		return nil
	})
	return requests
}
