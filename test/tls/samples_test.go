//go:build lab

package tls

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// sample is a database that specs are run on.
type sample struct {
	title, name string
	// kind is the value of the label app.kubernetes.io/name.
	kind    string
	aliases []string
	// pods in the order in which an operation restarts them.
	pods []string
	// lastRoll is the step that restarts the last of them.
	lastRoll string
	// files that a pod's database container finds, by mount path: the keys under which they are copied.
	files map[string][]string
	// commonName of every certificate in that namespace.
	commonName func(namespace string) string
	// database makes the object.
	database func(namespace string, tls *kubedbv1.TLSConfig) framework.Database
}

var percona = sample{
	title: "PerconaXtraDB", name: "px", kind: "perconaxtradbs.kubedb.com", aliases: []string{"server", "client", "metrics-exporter"},
	pods: []string{"px-2", "px-1", "px-0"}, lastRoll: "RestartPods",
	files: map[string][]string{
		"/etc/mysql/certs/server": {"ca.crt", "tls.crt", "tls.key"}, "/etc/mysql/certs/client": {"ca.crt", "tls.crt", "tls.key"},
	},
	commonName: func(namespace string) string { return "px." + namespace + ".svc" },
	database: func(namespace string, tls *kubedbv1.TLSConfig) framework.Database {
		return &kubedbv1.PerconaXtraDB{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px"},
			Spec: kubedbv1.PerconaXtraDBSpec{
				Version: "8.0.40", Replicas: new(int32(3)), Storage: storage(), PodTemplate: *quick(), TLS: tls,
			},
		}
	},
}

var cluster = sample{
	title: "Singlestore", name: "sdb", kind: "singlestores.kubedb.com", aliases: []string{"server", "client"},
	pods: []string{"sdb-leaf-1", "sdb-leaf-0", "sdb-aggregator-1", "sdb-aggregator-0"}, lastRoll: "RestartAggregatorPods",
	files:      map[string][]string{"/etc/memsql/certs": {"ca.crt", "server.crt", "server.key", "client.crt", "client.key"}},
	commonName: func(string) string { return "sdb" },
	database: func(namespace string, tls *kubedbv1.TLSConfig) framework.Database {
		node := func() *kubedbv1alpha2.SinglestoreNode {
			return &kubedbv1alpha2.SinglestoreNode{Replicas: new(int32(2)), Storage: storage(), PodTemplate: quick()}
		}
		return &kubedbv1alpha2.Singlestore{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sdb"},
			Spec: kubedbv1alpha2.SinglestoreSpec{
				Version: "8.9.3", LicenseSecret: &kubedbv1.SecretReference{Name: "license"}, TLS: tls,
				Topology: &kubedbv1alpha2.SinglestoreTopology{Aggregator: node(), Leaf: node()},
			},
		}
	},
}

var samples = []sample{percona, cluster}

// standalone is for specs about what a database mounts.
var standalone = sample{
	title: "a standalone Singlestore", name: "one", kind: "singlestores.kubedb.com", aliases: []string{"server", "client"},
	pods: []string{"one-0"}, lastRoll: "RestartPods",
	files:      map[string][]string{"/etc/memsql/certs": {"ca.crt", "server.crt", "server.key", "client.crt", "client.key"}},
	commonName: func(string) string { return "one" },
	database: func(namespace string, tls *kubedbv1.TLSConfig) framework.Database {
		return &kubedbv1alpha2.Singlestore{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "one"},
			Spec: kubedbv1alpha2.SinglestoreSpec{
				Version: "8.9.3", LicenseSecret: &kubedbv1.SecretReference{Name: "license"}, TLS: tls, Storage: storage(), PodTemplate: quick(),
			},
		}
	},
}

func quick() *kubedbv1.PodTemplateSpec {
	return &kubedbv1.PodTemplateSpec{Spec: kubedbv1.PodSpec{TerminationGracePeriodSeconds: new(int64(1))}}
}

func storage() *corev1.PersistentVolumeClaimSpec {
	return &corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
		},
	}
}

// request is a ReconfigureTLS request; requireSSL is left out where the kind has none.
func (s sample) request(a *arena, name string, change opsv1.PerconaXtraDBTLSSpec, options ...func(*opsv1.OpsRequestSpec)) framework.Request {
	var r framework.Request
	if s.name == percona.name {
		r = &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: a.named(name), Spec: opsv1.PerconaXtraDBOpsRequestSpec{TLS: &change}}
	} else {
		r = &opsv1.SinglestoreOpsRequest{ObjectMeta: a.named(name), Spec: opsv1.SinglestoreOpsRequestSpec{TLS: &change.TLSSpec}}
	}
	spec := r.RequestSpec()
	spec.DatabaseRef.Name, spec.Type = s.name, opsv1.ReconfigureTLS
	for _, o := range options {
		o(spec)
	}
	return r
}

// restart is a Restart request.
func (s sample) restart(a *arena, name string) framework.Request {
	var r framework.Request = &opsv1.SinglestoreOpsRequest{ObjectMeta: a.named(name)}
	if s.name == percona.name {
		r = &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: a.named(name)}
	}
	spec := r.RequestSpec()
	spec.DatabaseRef.Name, spec.Type = s.name, opsv1.Restart
	return r
}

func by(kind, name string) *corev1.TypedLocalObjectReference {
	return &corev1.TypedLocalObjectReference{APIGroup: new("cert-manager.io"), Kind: kind, Name: name}
}

// change builds the section of a request.
func change(tls kubedbv1.TLSConfig) opsv1.PerconaXtraDBTLSSpec {
	return opsv1.PerconaXtraDBTLSSpec{TLSSpec: opsv1.TLSSpec{TLSConfig: tls}}
}

var (
	rotate = opsv1.PerconaXtraDBTLSSpec{TLSSpec: opsv1.TLSSpec{RotateCertificates: true}}
	remove = opsv1.PerconaXtraDBTLSSpec{TLSSpec: opsv1.TLSSpec{Remove: true}}
)

// twice is the list with each pod restarted once to trust and once with new certificates.
func twice(pods []string) []string { return append(append([]string{}, pods...), pods...) }
