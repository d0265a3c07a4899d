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
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

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
		kubedbv1.AddToScheme, kubedbv1alpha2.AddToScheme, opsv1.AddToScheme,
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
	mgr, err := newManager(o)
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
		Metrics: journal.NewMetrics(crmetrics.Registry), Now: time.Now,
		CertManager: hasCertManager(mgr.GetRESTMapper()),
	}); err != nil {
		return err
	}
	if err := serveWebhooks(ctx, mgr, admission, o); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func newManager(o *options) (manager.Manager, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	config.UserAgent = "drydock"
	refuseAtOnce(config)
	config.QPS = -1 // the API server's priority and fairness decides
	certManager, err := findCertManager(config)
	if err != nil {
		return nil, err
	}
	return ctrl.NewManager(config, manager.Options{
		Scheme: newScheme(),
		Cache:  controllers.CacheOptions(kinds(), certManager),
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: neverCached(certManager)}},
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

// findCertManager looks for cert-manager before there is a manager, whose caches depend on it.
func findCertManager(config *rest.Config) (bool, error) {
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return false, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	if err != nil {
		return false, err
	}
	return hasCertManager(mapper), nil
}

// neverCached are the kinds that are read from the API server. Issuers are among them where cert-manager is not
// installed, since there is nothing to watch.
func neverCached(certManager bool) []client.Object {
	never := controllers.NeverCached()
	if !certManager {
		never = append(never, &certmanagerv1.Certificate{}, &certmanagerv1.Issuer{}, &certmanagerv1.ClusterIssuer{})
	}
	return never
}
