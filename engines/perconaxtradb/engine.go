// Package perconaxtradb translates PerconaXtraDB databases: Galera clusters of three and more equal nodes.
package perconaxtradb

import (
	"k8s.io/apimachinery/pkg/api/resource"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/ops"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// group is the name of the one group of pods.
const group = "perconaxtradb"

type engine struct{}

// New returns the engine of PerconaXtraDB.
func New() engines.Engine { return engine{} }

func (engine) Kind() engines.Kind {
	return engines.Kind{
		Database:         kubedbv1.GroupVersion.WithKind(kubedbv1.KindPerconaXtraDB),
		Request:          opsv1.GroupVersion.WithKind(opsv1.KindPerconaXtraDBOpsRequest),
		Version:          catalogv1.GroupVersion.WithKind("PerconaXtraDBVersion"),
		DatabaseResource: "perconaxtradbs",
		RequestResource:  "perconaxtradbopsrequests",
		NewDatabase:      func() engines.Database { return &kubedbv1.PerconaXtraDB{} },
		NewRequest:       func() engines.OpsRequest { return &opsv1.PerconaXtraDBOpsRequest{} },
		NewVersion:       func() engines.Version { return &catalogv1.PerconaXtraDBVersion{} },
		NewDatabaseList:  func() engines.ObjectList { return &kubedbv1.PerconaXtraDBList{} },
		NewRequestList:   func() engines.ObjectList { return &opsv1.PerconaXtraDBOpsRequestList{} },
	}
}

func (engine) Aliases() []string {
	return []string{kubedbv1.AliasServer, kubedbv1.AliasClient, kubedbv1.AliasMetricsExporter}
}

func (engine) CommonName(db engines.Database) string {
	return db.GetName() + "." + db.GetNamespace() + ".svc"
}

// Dialect is what the catalog says: MariaDB with Galera can stand in for Percona's build.
func (engine) Dialect(version *catalogv1.VersionSpec) mycnf.Dialect {
	if version != nil {
		if d, ok := mycnf.Named(version.Dialect); ok {
			return d
		}
	}
	return mycnf.MySQL
}

func (engine) Reserved() engines.Reserved {
	return engines.Reserved{
		Volumes: []string{
			engines.VolumeData, engines.VolumeConfig, engines.VolumeScripts, engines.VolumeInitial, volumeRunScript,
			certificateVolume(kubedbv1.AliasServer), certificateVolume(kubedbv1.AliasClient),
			certificateVolume(kubedbv1.AliasMetricsExporter), "metrics-exporter-config",
		},
		MountTrees: []string{
			dataPath, configPath, engines.ScriptsPath, runScriptPath, certificatePath(kubedbv1.AliasServer),
			certificatePath(kubedbv1.AliasClient), certificatePath(kubedbv1.AliasMetricsExporter), "/etc/mysql/config/exporter",
		},
		Env: []string{
			envRootPassword, "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD", "MYSQL_ONETIME_PASSWORD",
		},
		Containers:     []string{containerDatabase, containerCoordinator, engines.ContainerExporter},
		InitContainers: []string{containerInit},
		Ports:          []int32{databasePort.ContainerPort, portCopy, portCluster, portCatchUp, portX},
		ServicePorts:   []string{databaseService.Name},
	}
}

func (engine) Settings(db engines.Database) engines.Settings {
	s := &db.(*kubedbv1.PerconaXtraDB).Spec
	template := &s.PodTemplate
	return engines.Settings{
		Version:           &s.Version,
		StorageType:       &s.StorageType,
		DeletionPolicy:    &s.DeletionPolicy,
		TerminationPolicy: &s.TerminationPolicy,
		Halted:            &s.Halted,
		TLS:               &s.TLS,
		RequireSSL:        &s.RequireSSL,
		AuthSecret:        &s.AuthSecret,
		Init:              &s.Init,
		Monitor:           &s.Monitor,
		HealthChecker:     &s.HealthChecker,
		AutoOps:           &s.AutoOps,
		ServiceTemplates:  &s.ServiceTemplates,
		Groups: []engines.GroupSettings{{
			Name: group, Workload: engines.Suffixed(db.GetName()), Path: spec, VolumeField: group,
			Replicas: &s.Replicas, ConfigSecret: &s.ConfigSecret, Configuration: &s.Configuration, Storage: &s.Storage,
			Template: &template,
		}},
	}
}

func (engine) Imagined(r engines.OpsRequest) engines.Database {
	db := &kubedbv1.PerconaXtraDB{}
	db.Name, db.Namespace = r.RequestSpec().DatabaseRef.Name, r.GetNamespace()
	return db
}

func (engine) Lower(r engines.OpsRequest) ops.Request {
	request := engines.LowerCommon(r, opsv1.KindPerconaXtraDBOpsRequest)
	s := &r.(*opsv1.PerconaXtraDBOpsRequest).Spec
	if s.Configuration != nil {
		request.Configuration = engines.ByGroup(map[string]*opsv1.ReconfigurationSpec{group: s.Configuration})
	}
	if s.TLS != nil {
		request.TLS = engines.LowerTLS(&s.TLS.TLSSpec, s.TLS.RequireSSL)
	}
	if v := s.VolumeExpansion; v != nil {
		request.Mode = v.Mode
		request.Volumes = engines.ByGroup(map[string]*resource.Quantity{group: v.PerconaXtraDB})
	}
	return request
}
