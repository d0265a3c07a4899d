//go:build lab

package bench

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/test/framework"
)

// licence is the name of the Secret with SingleStore's licence.
const licence = "license-secret"

// subject is a kind of database to operate on.
type subject struct {
	// resource is its name in the API.
	resource string
	// groups is how many workloads it has.
	groups int
	// database makes one with that many pods in all.
	database func(pods int32, tls *kubedbv1.TLSConfig) framework.Database
}

var percona = subject{
	resource: "perconaxtradbs", groups: 1,
	database: func(pods int32, tls *kubedbv1.TLSConfig) framework.Database {
		return &kubedbv1.PerconaXtraDB{Spec: kubedbv1.PerconaXtraDBSpec{
			Version: "8.0.40", Replicas: &pods, Storage: storage(), PodTemplate: *quick(), TLS: tls,
		}}
	},
}

var cluster = subject{
	resource: "singlestores", groups: 2,
	database: func(pods int32, tls *kubedbv1.TLSConfig) framework.Database {
		aggregators := pods / 2
		node := func(pods int32) *kubedbv1alpha2.SinglestoreNode {
			return &kubedbv1alpha2.SinglestoreNode{Replicas: &pods, Storage: storage(), PodTemplate: quick()}
		}
		return &kubedbv1alpha2.Singlestore{Spec: kubedbv1alpha2.SinglestoreSpec{
			Version: "8.9.3", LicenseSecret: &kubedbv1.SecretReference{Name: licence}, TLS: tls,
			Topology: &kubedbv1alpha2.SinglestoreTopology{Aggregator: node(aggregators), Leaf: node(pods - aggregators)},
		}}
	},
}

// quick pods have a grace period of a second: namespaces go sooner so.
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
