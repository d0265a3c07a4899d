package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/internal/steps"
)

// Options of the controllers.
type Options struct {
	Admission   *admit.Admission
	Metrics     *journal.Metrics
	Now         func() time.Time
	Concurrency int
	// CertManager tells whether the cluster has cert-manager's kinds.
	CertManager bool
	// Workloads says what runs the pods.
	Workloads apply.Workloads
}

// NeverCached are the kinds that are read from the API server by name, when they are needed and not before.
func NeverCached() []client.Object { return []client.Object{&corev1.Secret{}} }

// SetupAll registers one controller for each kind.
func SetupAll(ctx context.Context, mgr ctrl.Manager, kinds []engines.Engine, o Options) error {
	if err := setupIndexes(ctx, mgr); err != nil {
		return err
	}
	j := &journal.Journal{
		Client: mgr.GetClient(), Recorder: mgr.GetEventRecorder("drydock"), Metrics: o.Metrics, Now: o.Now,
	}
	applier := &apply.Applier{Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Workloads: o.Workloads}
	for _, e := range kinds {
		cluster := &steps.Cluster{Client: mgr.GetClient(), Kind: e.Kind(), Workloads: o.Workloads}
		c := &Database{
			Engine: e, Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Apply: applier, Cluster: cluster,
			Executor: steps.NewExecutor(mgr.GetClient(), applier, cluster, o.Now),
			Journal:  j, Admission: o.Admission, CertManager: o.CertManager, Overtaken: Rests(),
		}
		if err := c.Setup(ctx, mgr, o.Concurrency); err != nil {
			return err
		}
	}
	return nil
}
