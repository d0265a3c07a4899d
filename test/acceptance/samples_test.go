//go:build lab

package acceptance

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// sample is a database that specs are run on, and what is known of its kind.
type sample struct {
	title, name string
	// groups in the order in which operations restart them.
	groups []group
	// section and kind as in configuration files and in the label app.kubernetes.io/name.
	section, label string
	// database makes the object.
	database func(namespace string) framework.Database
}

// group is one group of pods.
type group struct {
	// name as in the sections of a request, title as in condition types, workload as in names of pods.
	name, title, workload string
	replicas              int
	// component is the word in the names of rendered Secrets, petset the label kubedb.com/petset.
	component, petset string
}

var standalone = sample{
	title: "a standalone Singlestore", name: "one", section: "server", label: "singlestores.kubedb.com",
	groups: []group{{name: "node", title: "Node", workload: "one", replicas: 1, petset: "standalone"}},
	database: func(namespace string) framework.Database {
		return &kubedbv1alpha2.Singlestore{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "one"},
			Spec: kubedbv1alpha2.SinglestoreSpec{
				Version: "8.9.3", LicenseSecret: &kubedbv1.SecretReference{Name: licence}, Storage: storage("1Gi"), PodTemplate: quick(),
			},
		}
	},
}

var cluster = sample{
	title: "a Singlestore cluster", name: "sdb", section: "server", label: "singlestores.kubedb.com",
	groups: []group{
		{name: "leaf", title: "Leaf", workload: "sdb-leaf", replicas: 2, component: "leaf", petset: "leaf"},
		{name: "aggregator", title: "Aggregator", workload: "sdb-aggregator", replicas: 2, component: "aggregator", petset: "aggregator"},
	},
	database: func(namespace string) framework.Database {
		return &kubedbv1alpha2.Singlestore{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sdb"},
			Spec: kubedbv1alpha2.SinglestoreSpec{
				Version: "8.9.3", LicenseSecret: &kubedbv1.SecretReference{Name: licence},
				Topology: &kubedbv1alpha2.SinglestoreTopology{
					Aggregator: &kubedbv1alpha2.SinglestoreNode{Replicas: new(int32(2)), Storage: storage("1Gi"), PodTemplate: quick()},
					Leaf:       &kubedbv1alpha2.SinglestoreNode{Replicas: new(int32(2)), Storage: storage("2Gi"), PodTemplate: quick()},
				},
			},
		}
	},
}

var percona = sample{
	title: "a PerconaXtraDB", name: "px", section: "mysqld", label: "perconaxtradbs.kubedb.com",
	groups: []group{{name: "perconaxtradb", workload: "px", replicas: 3}},
	database: func(namespace string) framework.Database {
		return &kubedbv1.PerconaXtraDB{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px"},
			Spec: kubedbv1.PerconaXtraDBSpec{
				Version: "8.0.40", Replicas: new(int32(3)), Storage: storage("1Gi"), PodTemplate: *quick(),
			},
		}
	},
}

// samples are all of them.
var samples = []sample{standalone, cluster, percona}

// quick pods have a grace period of a second: the namespace controller waits for half of it.
func quick() *kubedbv1.PodTemplateSpec {
	return &kubedbv1.PodTemplateSpec{Spec: kubedbv1.PodSpec{TerminationGracePeriodSeconds: new(int64(1))}}
}

func storage(size string) *corev1.PersistentVolumeClaimSpec {
	return &corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
		},
	}
}

// pods are the names of all pods, in the order in which an operation restarts them: group after group, the highest
// ordinal first, so that the master aggregator is the last.
func (s sample) pods(groups ...string) []string {
	var names []string
	for _, g := range s.groups {
		for ordinal := g.replicas - 1; ordinal >= 0; ordinal-- {
			if len(groups) == 0 || contains(groups, g.name) {
				names = append(names, fmt.Sprintf("%s-%d", g.workload, ordinal))
			}
		}
	}
	return names
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

// last is the group that a reconfiguration of one group is tried on.
func (s sample) last() group { return s.groups[len(s.groups)-1] }

// option changes a request before it is made.
type option func(*opsv1.OpsRequestSpec)

// request is an OpsRequest for the sample.
func (s sample) request(a *arena, name string, kind opsv1.OpsType, options ...option) framework.Request {
	meta := metav1.ObjectMeta{Namespace: a.Name, Name: name}
	var r framework.Request = &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: meta}
	if s.section == "server" {
		r = &opsv1.SinglestoreOpsRequest{ObjectMeta: meta}
	}
	spec := r.RequestSpec()
	spec.DatabaseRef.Name, spec.Type = s.name, kind
	for _, o := range options {
		o(spec)
	}
	return r
}

func (s sample) restart(a *arena, name string, options ...option) framework.Request {
	return s.request(a, name, opsv1.Restart, options...)
}

// changes of a reconfiguration by group.
type changes map[string]opsv1.ReconfigurationSpec

func (s sample) reconfigure(a *arena, name string, c changes, options ...option) framework.Request {
	r := s.request(a, name, opsv1.Reconfigure, options...)
	of := func(group string) *opsv1.ReconfigurationSpec {
		if change, ok := c[group]; ok {
			return &change
		}
		return nil
	}
	switch r := r.(type) {
	case *opsv1.SinglestoreOpsRequest:
		r.Spec.Configuration = &opsv1.SinglestoreReconfiguration{Node: of("node"), Aggregator: of("aggregator"), Leaf: of("leaf")}
	case *opsv1.PerconaXtraDBOpsRequest:
		r.Spec.Configuration = of("perconaxtradb")
	}
	return r
}
