// Command drydock is the operator.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/controllers"
	"github.com/drydock-db/drydock/internal/journal"
)

func main() {
	var o options
	o.bind(flag.CommandLine)
	flag.Parse()
	if err := run(ctrl.SetupSignalHandler(), &o); err != nil {
		fmt.Fprintln(os.Stderr, "drydock:", err)
		os.Exit(1)
	}
}

// newScheme knows every type that the operator reads or writes.
func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, certmanagerv1.AddToScheme, catalogv1.AddToScheme,
		kubedbv1.AddToScheme, kubedbv1alpha2.AddToScheme, opsv1.AddToScheme, petsetv1.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	return scheme
}

func run(ctx context.Context, o *options) error {
	if err := o.check(); err != nil {
		return err
	}
	ctrl.SetLogger(zap.New(zap.UseDevMode(o.Development)))
	c, err := connect(o)
	if err != nil {
		return err
	}
	mgr, err := newManager(c, o)
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	admission, err := newAdmission(ctx, mgr, o)
	if err != nil {
		return err
	}
	if err := controllers.SetupAll(ctx, mgr, kinds(), controllers.Options{
		Admission: admission, Concurrency: o.Concurrency,
		Metrics: journal.NewMetrics(crmetrics.Registry), Now: time.Now, Workloads: c.workloads,
	}); err != nil {
		return err
	}
	if err := serveWebhooks(ctx, mgr, admission, o); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func newManager(c *cluster, o *options) (manager.Manager, error) {
	return ctrl.NewManager(c.config, manager.Options{
		Scheme: newScheme(),
		Cache:  controllers.CacheOptions(kinds(), c.workloads),
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: c.neverCached()}},
		Metrics: metricsserver.Options{
			BindAddress: o.MetricsAddress, SecureServing: true,
			FilterProvider: filters.WithAuthenticationAndAuthorization,
		},
		HealthProbeBindAddress:        o.ProbeAddress,
		LeaderElection:                o.LeaderElect,
		LeaderElectionID:              "drydock",
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       &o.ShutdownTimeout,
	})
}
