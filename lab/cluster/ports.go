package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Names of listeners in State.Ports.
const (
	portEtcd              = "etcd"
	portEtcdPeer          = "etcd-peer"
	portAPIServer         = "kube-apiserver"
	portControllerManager = "kube-controller-manager"
	portScheduler         = "kube-scheduler"
	portFakeKubelet       = "fake-kubelet"
	portCertManager       = "cert-manager"
	portResizer           = "csi-resizer"
	portWebhook           = "drydock-webhook"
	portMetrics           = "drydock-metrics"
	portHealth            = "drydock-health"
)

// Ports are drawn below the range from which Linux takes ports of outgoing connections: one of those
// could otherwise sit on a port between the moment it is chosen and the moment it is listened on.
const lowestPort, highestPort = 20000, 32000

// choosePorts draws a free loopback port for every listener. Fixed ports would keep two labs from
// running side by side.
func choosePorts() (map[string]int, error) {
	names := []string{
		portEtcd, portEtcdPeer, portAPIServer, portControllerManager, portScheduler,
		portFakeKubelet, portCertManager, portResizer, portWebhook, portMetrics, portHealth,
	}
	ports := make(map[string]int, len(names))
	taken := make(map[int]bool, len(names))
	for _, name := range names {
		port, err := freePort(taken)
		if err != nil {
			return nil, fmt.Errorf("choose a port for %s: %w", name, err)
		}
		ports[name], taken[port] = port, true
	}
	return ports, nil
}

func freePort(taken map[int]bool) (int, error) {
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if taken[port] {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		_ = listener.Close()
		return port, nil
	}
	return 0, fmt.Errorf("no free port between %d and %d on 127.0.0.1", lowestPort, highestPort)
}

// address is the loopback address of a listener.
func (l *Lab) address(listener string) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(l.state.Ports[listener]))
}

func (l *Lab) port(listener string) string { return strconv.Itoa(l.state.Ports[listener]) }
