package main

import (
	"flag"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/drydock-db/drydock/internal/shape"
)

// options are the operator's settings, one flag each.
type options struct {
	Namespace      string `json:"namespace" validate:"required"`
	WebhookHost    string `json:"webhook-host"`
	WebhookPort    int    `json:"webhook-port" validate:"min=0,max=65535"`
	WebhookService string `json:"webhook-service" validate:"required"`
	MetricsAddress string `json:"metrics-bind-address" validate:"required"`
	ProbeAddress   string `json:"health-probe-bind-address" validate:"required"`
	LeaderElect    bool   `json:"leader-elect"`
	Workload       string `json:"workload" validate:"oneof=statefulset petset"`
	Concurrency    int    `json:"concurrency" validate:"min=1,max=256"`
	Development    bool   `json:"development"`
	// ClusterIssuers that anybody may use without a right of their own.
	ClusterIssuers list `json:"allowed-cluster-issuers"`
	// ShutdownTimeout is how long a pass may take to end after SIGTERM.
	ShutdownTimeout time.Duration `json:"shutdown-timeout"`
}

// bind declares the flags.
func (o *options) bind(f *flag.FlagSet) {
	f.StringVar(&o.Namespace, "namespace", "drydock-system", "namespace that the operator runs in")
	f.StringVar(&o.WebhookHost, "webhook-host", "", "address that the webhook server listens on; empty for all")
	f.IntVar(&o.WebhookPort, "webhook-port", 9443, "port of the webhook server; 0 runs without webhooks")
	f.StringVar(&o.WebhookService, "webhook-service", "drydock-webhook", "Service in front of the webhook server")
	f.StringVar(&o.MetricsAddress, "metrics-bind-address", "0", "address of the metrics server; 0 switches it off")
	f.StringVar(&o.ProbeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	f.BoolVar(&o.LeaderElect, "leader-elect", true, "elect one leader among several replicas")
	f.StringVar(&o.Workload, "workload", "statefulset", "what runs the pods: statefulset or petset")
	f.IntVar(&o.Concurrency, "concurrency", 8, "databases of one kind that are worked on at the same time")
	f.BoolVar(&o.Development, "development", false, "log for a person rather than as JSON")
	f.Var(&o.ClusterIssuers, "allowed-cluster-issuers", "ClusterIssuers that every namespace may use, separated by commas")
	f.DurationVar(&o.ShutdownTimeout, "shutdown-timeout", 10*time.Second, "time to finish on SIGTERM")
}

// check returns every setting that is wrong.
func (o *options) check() error { return shape.Check(o, field.NewPath("")).ToAggregate() }
