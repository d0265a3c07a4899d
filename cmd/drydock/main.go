// Command drydock is the operator.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"os"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/drydock-db/drydock/cmd/drydock/operator"
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

func run(ctx context.Context, o *options) error {
	if err := o.check(); err != nil {
		return err
	}
	ctrl.SetLogger(zap.New(zap.UseDevMode(o.Development)))
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	operator.Configure(config)
	cluster, err := operator.Connect(config, o.Workload == "petset")
	if err != nil {
		return err
	}
	mgr, admission, err := operator.New(ctx, config, cluster, operator.Settings{
		Kinds: kinds(), Concurrency: o.Concurrency, ClusterIssuers: o.ClusterIssuers,
		Metrics: journal.NewMetrics(crmetrics.Registry), Manager: servers(o),
	})
	if err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := serveWebhooks(ctx, mgr, admission, o); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// servers are the manager's own, and how it elects a leader.
func servers(o *options) manager.Options {
	return manager.Options{
		Metrics: metricsserver.Options{
			BindAddress: o.MetricsAddress, SecureServing: true,
			FilterProvider: filters.WithAuthenticationAndAuthorization, TLSOpts: []func(*tls.Config){strict},
		},
		HealthProbeBindAddress:        o.ProbeAddress,
		LeaderElection:                o.LeaderElect,
		LeaderElectionID:              "drydock",
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       &o.ShutdownTimeout,
	}
}
