// Command csi-resizer runs the external-resizer's own controller against the lab's CSI driver. What its usual command adds
// is left out (leader election, volume attributes classes, migrated drivers): that takes longer to build than all the rest.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kubernetes-csi/csi-lib-utils/metrics"
	"github.com/kubernetes-csi/external-resizer/v2/pkg/controller"
	"github.com/kubernetes-csi/external-resizer/v2/pkg/csi"
	"github.com/kubernetes-csi/external-resizer/v2/pkg/resizer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

const (
	workers = 32
	// callTimeout ends a call to the driver that does not come back.
	callTimeout = 3 * time.Second
	// What takes up to five minutes elsewhere must not take them in a test.
	firstRetry, lastRetry = 200 * time.Millisecond, 2 * time.Second
	resync                = 10 * time.Minute
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster to serve")
	socket := flag.String("csi-address", "", "unix socket of the CSI driver")
	health := flag.String("health-address", "127.0.0.1:0", "loopback address of /readyz")
	klog.InitFlags(nil)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *socket, *health); err != nil {
		fmt.Fprintln(os.Stderr, "csi-resizer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, socket, health string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS, config.Burst, config.UserAgent = 500, 1000, "csi-resizer"
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("build the client: %w", err)
	}
	driver, err := csi.New(ctx, socket, callTimeout, metrics.NewCSIMetricsManager(""))
	if err != nil {
		return fmt.Errorf("reach the CSI driver: %w", err)
	}
	name, err := driver.GetDriverName(ctx)
	if err != nil {
		return fmt.Errorf("ask the CSI driver for its name: %w", err)
	}
	resize, err := resizer.NewResizerFromClient(driver, callTimeout, client, name)
	if err != nil {
		return fmt.Errorf("make the resizer: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, resync)
	control := controller.NewResizeController(name, resize, client, resync, factory,
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstRetry, lastRetry), true, lastRetry)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if err := serveHealth(ctx, health); err != nil {
		return err
	}
	control.Run(workers, ctx, nil)
	return nil
}

// serveHealth answers /readyz, from when the caches are filled.
func serveHealth(ctx context.Context, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for health checks on %s: %w", address, err)
	}
	server := &http.Server{
		ReadHeaderTimeout: callTimeout, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return nil
}
