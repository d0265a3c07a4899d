// Package singlestore translates Singlestore databases: standalone ones, and clusters of aggregators and leaves.
package singlestore

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/ops"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// Names of the groups of pods: a standalone database has a node, a cluster has leaves and aggregators.
const (
	node       = "node"
	aggregator = "aggregator"
	leaf       = "leaf"
)

type engine struct{}

// New returns the engine of Singlestore.
func New() engines.Engine { return engine{} }

func (engine) Kind() engines.Kind {
	return engines.Kind{
		Database:         kubedbv1alpha2.GroupVersion.WithKind(kubedbv1alpha2.KindSinglestore),
		Request:          opsv1.GroupVersion.WithKind(opsv1.KindSinglestoreOpsRequest),
		Version:          catalogv1.GroupVersion.WithKind("SinglestoreVersion"),
		DatabaseResource: "singlestores",
		RequestResource:  "singlestoreopsrequests",
		NewDatabase:      func() engines.Database { return &kubedbv1alpha2.Singlestore{} },
		NewRequest:       func() engines.OpsRequest { return &opsv1.SinglestoreOpsRequest{} },
		NewVersion:       func() engines.Version { return &catalogv1.SinglestoreVersion{} },
		NewDatabaseList:  func() engines.ObjectList { return &kubedbv1alpha2.SinglestoreList{} },
		NewRequestList:   func() engines.ObjectList { return &opsv1.SinglestoreOpsRequestList{} },
	}
}

func (engine) Aliases() []string {
	return []string{kubedbv1.AliasServer, kubedbv1.AliasClient}
}

func (engine) CommonName(db engines.Database) string { return db.GetName() }

// Dialect is the same for all versions.
func (engine) Dialect(*catalogv1.VersionSpec) mycnf.Dialect { return mycnf.SingleStore }

func (engine) Reserved() engines.Reserved {
	return engines.Reserved{
		Volumes: []string{engines.VolumeInitial, engines.VolumeConfig, engines.VolumeScripts, engines.VolumeData, volumeTLS},
		MountPaths: []string{
			dataPath, engines.ScriptsPath, configPath, engines.InitialScriptPath, certsPath,
		},
		Containers:     []string{containerDatabase, containerCoordinator, engines.ContainerExporter},
		InitContainers: []string{containerInit},
		Ports:          []int32{databasePort.ContainerPort, studioPort.ContainerPort},
		ServicePorts:   []string{databaseService.Name, studioService.Name},
	}
}

func (engine) Settings(db engines.Database) engines.Settings {
	s := &db.(*kubedbv1alpha2.Singlestore).Spec
	return engines.Settings{
		Version:           &s.Version,
		StorageType:       &s.StorageType,
		DeletionPolicy:    &s.DeletionPolicy,
		TerminationPolicy: &s.TerminationPolicy,
		Halted:            &s.Halted,
		TLS:               &s.TLS,
		AuthSecret:        &s.AuthSecret,
		LicenseSecret:     &s.LicenseSecret,
		Init:              &s.Init,
		Monitor:           &s.Monitor,
		HealthChecker:     &s.HealthChecker,
		AutoOps:           &s.AutoOps,
		ServiceTemplates:  &s.ServiceTemplates,
		Groups:            groups(db.GetName(), s),
	}
}

var (
	leafPath       = spec.Child("topology", leaf)
	aggregatorPath = spec.Child("topology", aggregator)
)

// groups lists leaves before aggregators: while a leaf restarts its partner serves its partitions, and the aggregators
// that know about it stay; the master aggregator, which promotes the partner, is the last pod to go.
func groups(name string, s *kubedbv1alpha2.SinglestoreSpec) []engines.GroupSettings {
	if s.Topology == nil {
		return []engines.GroupSettings{{
			Name: node, Title: "Node", Workload: engines.Suffixed(name), Path: spec, ConfigField: node, VolumeField: node,
			ConfigSecret: &s.ConfigSecret, Configuration: &s.Configuration, Storage: &s.Storage,
			Template: &s.PodTemplate,
		}}
	}
	list := make([]engines.GroupSettings, 0, 2)
	for _, c := range []struct {
		name, title string
		path        *field.Path
		node        *kubedbv1alpha2.SinglestoreNode
	}{{leaf, "Leaf", leafPath, s.Topology.Leaf}, {aggregator, "Aggregator", aggregatorPath, s.Topology.Aggregator}} {
		if c.node == nil {
			continue
		}
		list = append(list, engines.GroupSettings{
			Name: c.name, Title: c.title, Workload: engines.Suffixed(name, c.node.Suffix, c.name),
			Path: c.path, ConfigField: c.name, VolumeField: c.name,
			Replicas: &c.node.Replicas, ConfigSecret: &c.node.ConfigSecret, Configuration: &c.node.Configuration,
			Storage: &c.node.Storage, Template: &c.node.PodTemplate,
		})
	}
	return list
}

func (engine) Imagined(r engines.OpsRequest) engines.Database {
	db := &kubedbv1alpha2.Singlestore{}
	db.Name, db.Namespace = r.RequestSpec().DatabaseRef.Name, r.GetNamespace()
	if c := r.(*opsv1.SinglestoreOpsRequest).Spec.Configuration; c != nil && (c.Aggregator != nil || c.Leaf != nil) {
		db.Spec.Topology = &kubedbv1alpha2.SinglestoreTopology{Aggregator: &kubedbv1alpha2.SinglestoreNode{}, Leaf: &kubedbv1alpha2.SinglestoreNode{}}
	}
	return db
}

func (engine) Lower(r engines.OpsRequest) ops.Request {
	request := engines.LowerCommon(r, opsv1.KindSinglestoreOpsRequest)
	s := &r.(*opsv1.SinglestoreOpsRequest).Spec
	if c := s.Configuration; c != nil {
		request.Configuration = engines.ByGroup(map[string]*opsv1.ReconfigurationSpec{node: c.Node, aggregator: c.Aggregator, leaf: c.Leaf})
	}
	if s.TLS != nil {
		request.TLS = engines.LowerTLS(s.TLS, nil)
	}
	if v := s.VolumeExpansion; v != nil {
		request.Mode = v.Mode
		request.Volumes = engines.ByGroup(sizes(v))
	}
	return request
}
