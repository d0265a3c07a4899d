//go:build lab

package petset

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// licence is the name of the Secret with SingleStore's licence in every arena; policy that of a PlacementPolicy.
const licence, policy = "license-secret", "spread"

// sample is a database that specs are run on.
type sample struct {
	title, name, section string
	// groups in the order in which operations restart them.
	groups   []group
	database func(namespace string) framework.Database
	// reconfigure, expand and reconfigureTLS make requests about all groups; empty is the request to fill.
	empty          func() framework.Request
	reconfigure    func(framework.Request, opsv1.ReconfigurationSpec)
	expand         func(framework.Request, opsv1.VolumeExpansionMode, resource.Quantity)
	reconfigureTLS func(framework.Request, opsv1.TLSSpec)
}

// group is one group of pods.
type group struct {
	workload string
	replicas int
}

var cluster = sample{
	title: "a Singlestore cluster", name: "sdb", section: "server",
	groups: []group{{"sdb-leaf", 2}, {"sdb-aggregator", 2}},
	database: func(namespace string) framework.Database {
		node := func() *kubedbv1alpha2.SinglestoreNode {
			return &kubedbv1alpha2.SinglestoreNode{Replicas: new(int32(2)), Storage: storage("1Gi"), PodTemplate: template()}
		}
		return &kubedbv1alpha2.Singlestore{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sdb"},
			Spec: kubedbv1alpha2.SinglestoreSpec{
				Version: "8.9.3", LicenseSecret: &kubedbv1.SecretReference{Name: licence}, DeletionPolicy: kubedbv1.DeletionWipeOut,
				Topology: &kubedbv1alpha2.SinglestoreTopology{Aggregator: node(), Leaf: node()},
			},
		}
	},
	empty: func() framework.Request { return &opsv1.SinglestoreOpsRequest{} },
	reconfigure: func(r framework.Request, c opsv1.ReconfigurationSpec) {
		r.(*opsv1.SinglestoreOpsRequest).Spec.Configuration = &opsv1.SinglestoreReconfiguration{Aggregator: &c, Leaf: &c}
	},
	expand: func(r framework.Request, mode opsv1.VolumeExpansionMode, size resource.Quantity) {
		r.(*opsv1.SinglestoreOpsRequest).Spec.VolumeExpansion = &opsv1.SinglestoreVolumeExpansion{
			Mode: mode, Aggregator: &size, Leaf: &size,
		}
	},
	reconfigureTLS: func(r framework.Request, t opsv1.TLSSpec) { r.(*opsv1.SinglestoreOpsRequest).Spec.TLS = &t },
}

var percona = sample{
	title: "a PerconaXtraDB", name: "px", section: "mysqld",
	groups: []group{{"px", 3}},
	database: func(namespace string) framework.Database {
		return &kubedbv1.PerconaXtraDB{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px"},
			Spec: kubedbv1.PerconaXtraDBSpec{
				Version: "8.0.40", Replicas: new(int32(3)), Storage: storage("1Gi"), PodTemplate: *template(),
				DeletionPolicy: kubedbv1.DeletionWipeOut,
			},
		}
	},
	empty: func() framework.Request { return &opsv1.PerconaXtraDBOpsRequest{} },
	reconfigure: func(r framework.Request, c opsv1.ReconfigurationSpec) {
		r.(*opsv1.PerconaXtraDBOpsRequest).Spec.Configuration = &c
	},
	expand: func(r framework.Request, mode opsv1.VolumeExpansionMode, size resource.Quantity) {
		r.(*opsv1.PerconaXtraDBOpsRequest).Spec.VolumeExpansion = &opsv1.PerconaXtraDBVolumeExpansion{Mode: mode, PerconaXtraDB: &size}
	},
	reconfigureTLS: func(r framework.Request, t opsv1.TLSSpec) {
		r.(*opsv1.PerconaXtraDBOpsRequest).Spec.TLS = &opsv1.PerconaXtraDBTLSSpec{TLSSpec: t}
	},
}

// samples are all of them.
var samples = []sample{cluster, percona}

// template places the pods by a policy and gives them a grace period of a second, half of which the namespace
// controller waits for.
func template() *kubedbv1.PodTemplateSpec {
	return &kubedbv1.PodTemplateSpec{Spec: kubedbv1.PodSpec{
		TerminationGracePeriodSeconds: new(int64(1)), PodPlacementPolicy: &corev1.LocalObjectReference{Name: policy},
	}}
}

func storage(size string) *corev1.PersistentVolumeClaimSpec {
	return &corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
		},
	}
}

// pods are the names of all pods, in the order in which an operation restarts them.
func (s sample) pods() []string {
	var names []string
	for _, g := range s.groups {
		for ordinal := range g.replicas {
			names = append(names, fmt.Sprintf("%s-%d", g.workload, g.replicas-1-ordinal))
		}
	}
	return names
}

// workloads are the names of the PetSets.
func (s sample) workloads() []string {
	var names []string
	for _, g := range s.groups {
		names = append(names, g.workload)
	}
	return slices.Sorted(slices.Values(names))
}

// request is an OpsRequest for the sample.
func (s sample) request(a *arena, name string, kind opsv1.OpsType) framework.Request {
	r := s.empty()
	r.SetNamespace(a.Name)
	r.SetName(name)
	r.RequestSpec().DatabaseRef.Name, r.RequestSpec().Type = s.name, kind
	return r
}

// setting is a Reconfigure request that puts one line into the configuration of all groups.
func (s sample) setting(a *arena, name, line string) framework.Request {
	r := s.request(a, name, opsv1.Reconfigure)
	s.reconfigure(r, opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{"spec.cnf": line}})
	return r
}

// growth is a VolumeExpansion request for all groups.
func (s sample) growth(a *arena, name string, mode opsv1.VolumeExpansionMode, size string) framework.Request {
	r := s.request(a, name, opsv1.VolumeExpansion)
	s.expand(r, mode, resource.MustParse(size))
	return r
}
