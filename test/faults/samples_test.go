//go:build lab && faults

package faults

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/engines/singlestore"
)

// sample is a database that operations are tried on.
type sample struct {
	title, name string
	engine      engines.Engine
	// section of configuration files.
	section string
	// petSets is true when the operator makes PetSets for it.
	petSets bool
	// thin is how many points of a fault there are for each that is tried, others with each seed; 0 for one. For a sample that
	// differs from another one in a detail.
	thin int
	// groups in the order in which operations restart them. The first is the one that is reconfigured.
	groups []group
	// database makes the object, wiped out when it is deleted, so that the next of its name starts anew.
	database func(meta metav1.ObjectMeta) engines.Database
}

// group is one group of pods.
type group struct {
	workload string
	replicas int
}

// Names of what the user has made in every dock.
const (
	licence    = "license-secret"
	userConfig = "user-config"
)

// birthSize is the size of every volume at the start, in Gi.
const birthSize = 100

var samples = []sample{
	{
		title: "Singlestore", name: "one", engine: singlestore.New(), section: "server", groups: []group{{"one", 1}},
		database: func(meta metav1.ObjectMeta) engines.Database {
			return &kubedbv1alpha2.Singlestore{ObjectMeta: meta, Spec: kubedbv1alpha2.SinglestoreSpec{
				Version: "8.9.3", LicenseSecret: &kubedbv1.SecretReference{Name: licence}, Storage: storage(), PodTemplate: quick(),
				DeletionPolicy: kubedbv1.DeletionWipeOut,
			}}
		},
	},
	{
		title: "SinglestoreCluster", name: "sdb", engine: singlestore.New(), section: "server",
		groups: []group{{"sdb-leaf", 2}, {"sdb-aggregator", 1}},
		database: func(meta metav1.ObjectMeta) engines.Database {
			return &kubedbv1alpha2.Singlestore{ObjectMeta: meta, Spec: kubedbv1alpha2.SinglestoreSpec{
				Version: "8.9.3", LicenseSecret: &kubedbv1.SecretReference{Name: licence}, DeletionPolicy: kubedbv1.DeletionWipeOut,
				Topology: &kubedbv1alpha2.SinglestoreTopology{
					Aggregator: &kubedbv1alpha2.SinglestoreNode{Replicas: new(int32(1)), Storage: storage(), PodTemplate: quick()},
					Leaf:       &kubedbv1alpha2.SinglestoreNode{Replicas: new(int32(2)), Storage: storage(), PodTemplate: quick()},
				},
			}}
		},
	},
	{
		title: "PerconaXtraDB", name: "px", engine: perconaxtradb.New(), section: "mysqld", groups: []group{{"px", 3}},
		database: threeNodes,
	},
	{
		title: "PetSets", name: "pet", engine: perconaxtradb.New(), section: "mysqld", groups: []group{{"pet", 3}},
		database: threeNodes, petSets: true, thin: few,
	},
}

// threeNodes is a PerconaXtraDB.
func threeNodes(meta metav1.ObjectMeta) engines.Database {
	return &kubedbv1.PerconaXtraDB{ObjectMeta: meta, Spec: kubedbv1.PerconaXtraDBSpec{
		Version: "8.0.40", Replicas: new(int32(3)), Storage: storage(), PodTemplate: *quick(),
		DeletionPolicy: kubedbv1.DeletionWipeOut,
	}}
}

// quick pods have a grace period of a second.
func quick() *kubedbv1.PodTemplateSpec {
	return &kubedbv1.PodTemplateSpec{Spec: kubedbv1.PodSpec{TerminationGracePeriodSeconds: new(int64(1))}}
}

func storage() *corev1.PersistentVolumeClaimSpec {
	return &corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: gibibytes(birthSize)},
		},
	}
}

func gibibytes(n int) resource.Quantity {
	return *resource.NewQuantity(int64(n)<<30, resource.BinarySI)
}
