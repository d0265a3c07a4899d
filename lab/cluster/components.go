package cluster

import (
	"slices"
	"strconv"
	"strings"
)

// component is one process of the lab: how to start it and how to know that it works.
type component struct {
	name string
	args []string
	// health is a URL that answers 200 when the component works.
	health string
	// hint helps when it does not start.
	hint string
	// needs names a component that has to run already; when that one is started anew, so is this one.
	needs string
}

// controllers are those of kube-controller-manager that make sense with fake nodes. Node lifecycle and
// taint eviction are off because fake nodes send no heartbeats, attach-detach and the expander because
// no volume is real.
var controllers = []string{
	"clusterrole-aggregation-controller", "cronjob-controller", "daemonset-controller",
	"deployment-controller", "disruption-controller", "endpointslice-controller", "ephemeral-volume-controller",
	"garbage-collector-controller", "job-controller", "legacy-serviceaccount-token-cleaner-controller", "namespace-controller",
	"persistentvolume-binder-controller", "persistentvolume-protection-controller",
	"persistentvolumeclaim-protection-controller", "pod-garbage-collector-controller", "replicaset-controller",
	"resourcequota-controller", "root-ca-certificate-publisher-controller", "serviceaccount-controller",
	"serviceaccount-token-controller", "statefulset-controller", "ttl-after-finished-controller",
	"validatingadmissionpolicy-status-controller",
}

// generous lifts the client-side rate limits, which would otherwise dominate every measurement.
var generous = []string{"--kube-api-qps=500", "--kube-api-burst=1000"}

func (l *Lab) etcd() component {
	client, peer := "http://"+l.address(portEtcd), "http://"+l.address(portEtcdPeer)
	return component{
		name: etcd, health: client + "/health",
		hint: "is the disk full, or the port taken? `lab down` and `lab up` choose new ports",
		args: []string{
			"--name=lab", "--data-dir=" + l.data("etcd"), "--log-level=warn", "--unsafe-no-fsync",
			"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=lab=" + peer,
			"--quota-backend-bytes=4294967296", "--auto-compaction-mode=periodic", "--auto-compaction-retention=10m",
		},
	}
}

func (l *Lab) apiServer() component {
	args := []string{
		"--etcd-servers=http://" + l.address(portEtcd),
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + l.port(portAPIServer),
		"--endpoint-reconciler-type=none", // 127.0.0.1 is no valid endpoint
		"--tls-cert-file=" + l.data("pki", "apiserver.crt"), "--tls-private-key-file=" + l.data("pki", "apiserver.key"),
		"--cert-dir=" + l.data("pki", "apiserver"),
		"--token-auth-file=" + l.data("pki", "tokens.csv"), "--authorization-mode=RBAC,Node",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + l.data("pki", "service-accounts.key"),
		"--service-account-signing-key-file=" + l.data("pki", "service-accounts.key"),
		"--service-cluster-ip-range=10.96.0.0/16", "--allow-privileged",
		"--max-requests-inflight=3000", "--max-mutating-requests-inflight=1500",
		"--shutdown-delay-duration=0", "--profiling=false",
	}
	if !l.state.NoAudit {
		args = append(args, "--audit-policy-file="+l.data("audit-policy.yaml"),
			"--audit-log-path="+l.path("logs", "audit.log"), "--audit-log-format=json", "--audit-log-maxsize=0")
	}
	return component{
		name: apiServer, args: args, health: "https://" + l.address(portAPIServer) + "/readyz",
		hint: "is etcd up, and the port still free? `lab down` and `lab up` choose new ports",
	}
}

func (l *Lab) wantedControllers() []string {
	return slices.DeleteFunc(slices.Clone(controllers), func(name string) bool { return slices.Contains(l.state.Without, name) })
}

func (l *Lab) controllerManager() component {
	return component{
		name: controllerManager, health: "https://" + l.address(portControllerManager) + "/healthz",
		hint: "look for the first line with an E or F in front",
		args: append([]string{
			"--kubeconfig=" + l.data("kube-controller-manager.kubeconfig"),
			"--bind-address=127.0.0.1", "--secure-port=" + l.port(portControllerManager),
			"--cert-dir=" + l.data("pki", "controller-manager"), "--leader-elect=false", "--profiling=false",
			"--controllers=" + strings.Join(l.wantedControllers(), ","),
			// Admission policies recognise the garbage collector and the namespace controller by name.
			"--use-service-account-credentials",
			"--service-account-private-key-file=" + l.data("pki", "service-accounts.key"),
			"--root-ca-file=" + l.data("pki", "ca.crt"),
			"--concurrent-statefulset-syncs=20", "--concurrent-gc-syncs=40", "--concurrent-namespace-syncs=20",
			"--concurrent-service-endpoint-syncs=10", "--pvclaimbinder-sync-period=5s",
		}, generous...),
	}
}

func (l *Lab) scheduler() component {
	return component{
		name: scheduler, health: "https://" + l.address(portScheduler) + "/healthz",
		hint: "look for the first line with an E or F in front",
		args: append([]string{
			"--kubeconfig=" + l.data("kube-scheduler.kubeconfig"),
			"--bind-address=127.0.0.1", "--secure-port=" + l.port(portScheduler),
			"--cert-dir=" + l.data("pki", "scheduler"), "--leader-elect=false", "--profiling=false",
		}, generous...),
	}
}

func (l *Lab) fakeKubelet() component {
	return component{
		name: fakeKubelet, health: "http://" + l.address(portFakeKubelet) + "/readyz",
		args: []string{
			"--kubeconfig=" + l.data("fake-kubelet.kubeconfig"), "--health-address=" + l.address(portFakeKubelet),
			"--nodes=" + strconv.Itoa(l.state.Nodes), "--csi-socket=" + l.data(csiSocket),
		},
	}
}

// csiSocket is where the CSI driver answers, below the lab's data.
const csiSocket = "csi.sock"

func (l *Lab) resizer() component {
	return component{
		name: csiResizer, health: "http://" + l.address(portResizer) + "/readyz", needs: fakeKubelet,
		hint: "the CSI driver, a part of the fake kubelet, must answer on its socket",
		args: []string{
			"--kubeconfig=" + l.data("csi-resizer.kubeconfig"), "--health-address=" + l.address(portResizer),
			"--csi-address=" + l.data(csiSocket), "--v=1",
		},
	}
}

func (l *Lab) certManager() component {
	return component{
		name: certManager, health: "http://" + l.address(portCertManager) + "/readyz",
		hint: "its CRDs must be established before it starts",
		args: []string{
			"--kubeconfig=" + l.data("cert-manager.kubeconfig"), "--health-address=" + l.address(portCertManager), "--v=1",
		},
	}
}

// auditPolicy writes one line per finished request, with who and what but no bodies.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
`
