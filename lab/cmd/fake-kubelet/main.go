// Command fake-kubelet serves the fake nodes of a lab, and is its storage. See packages fakekubelet and csidriver.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/drydock-db/drydock/lab/csidriver"
	"github.com/drydock-db/drydock/lab/fakekubelet"
)

type options struct {
	kubeconfig, health, csi string
	nodes                   int
	qps                     float64
	delays                  fakekubelet.Delays
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster to serve")
	flag.StringVar(&o.health, "health-address", "127.0.0.1:0", "loopback address of /readyz")
	flag.StringVar(&o.csi, "csi-socket", "", "unix socket of the CSI driver; empty for none")
	flag.IntVar(&o.nodes, "nodes", 5, "number of fake nodes to register")
	flag.Float64Var(&o.qps, "qps", 500, "requests per second to the API server")
	flag.DurationVar(&o.delays.Ready, "ready-after", 50*time.Millisecond, "time from start to ready")
	flag.DurationVar(&o.delays.Terminate, "terminate-after", 500*time.Millisecond,
		"time from deletion to gone; the disruption controller has to see an evicted pod gone before its successor is there")
	flag.DurationVar(&o.delays.Grow, "grow-after", 50*time.Millisecond, "time for a volume to grow")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	interrupted := ctx.Err() != nil
	stop()
	if err != nil && !interrupted {
		fmt.Fprintln(os.Stderr, "fake-kubelet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS, config.Burst, config.UserAgent = float32(o.qps), int(2*o.qps), "fake-kubelet"
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("build the client: %w", err)
	}
	if err := fakekubelet.RegisterNodes(ctx, client, o.nodes); err != nil {
		return err
	}
	kubelet, err := fakekubelet.New(client, o.delays)
	if err != nil {
		return err
	}
	var ready atomic.Bool
	if err := serveHealth(ctx, o.health, &ready); err != nil {
		return err
	}
	if o.csi != "" {
		if err := csidriver.Serve(ctx, o.csi, kubelet); err != nil {
			return err
		}
	}
	return kubelet.Run(ctx, func() { ready.Store(true) })
}

// serveHealth answers /readyz with 200 once ready is set.
func serveHealth(ctx context.Context, address string, ready *atomic.Bool) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for health checks on %s: %w", address, err)
	}
	server := &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if !ready.Load() {
				http.Error(w, "caches are filling", http.StatusServiceUnavailable)
			}
		}),
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return nil
}
