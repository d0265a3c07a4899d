// Package engines translates: one folder per database kind turns API objects into plain values and values into
// Kubernetes objects. An engine never talks to a cluster.
package engines

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// Object is any Kubernetes object.
type Object interface {
	metav1.Object
	runtime.Object
}

// Database is a database object of any kind.
type Database interface {
	Object
	DatabaseStatus() *kubedbv1.DatabaseStatus
}

// OpsRequest is a request object of any kind.
type OpsRequest interface {
	Object
	RequestSpec() *opsv1.OpsRequestSpec
	RequestStatus() *opsv1.OpsRequestStatus
}

// Version is a catalog object of any kind.
type Version interface {
	Object
	VersionSpec() *catalogv1.VersionSpec
}

// Kind names the three API kinds of one engine.
type Kind struct {
	Database, Request, Version        schema.GroupVersionKind
	DatabaseResource, RequestResource string // plurals, for messages and access reviews
	NewDatabase                       func() Database
	NewRequest                        func() OpsRequest
	NewVersion                        func() Version
	NewDatabaseList, NewRequestList   func() ObjectList
}

// ObjectList is any list of Kubernetes objects.
type ObjectList interface {
	metav1.ListInterface
	runtime.Object
}

// Engine is everything that differs from one database kind to the next.
type Engine interface {
	// Kind names the API kinds.
	Kind() Kind
	// Settings points at the parts of the database's spec that every kind has. It never fails: a half-filled
	// object yields the groups that are there.
	Settings(db Database) Settings
	// Default fills what the user left out. It is idempotent and never dereferences what may be missing.
	Default(db Database)
	// Lower turns a request object into plain values.
	Lower(r OpsRequest) ops.Request
	// Imagined is a database of the name that a request gives, with the groups that its configuration speaks of and nothing
	// else: when there is no such database, what the request says by itself is checked by this one.
	Imagined(r OpsRequest) Database
	// CheckDatabase returns what is wrong with the spec that only this kind knows of; old is nil on creation.
	// Rules that hold for every kind are in internal/admit.
	CheckDatabase(db, old Database) field.ErrorList
	// CheckRequest returns what is wrong with the request, given the database, that only this kind knows of
	// (for example node against topology). db is nil when there is no such database.
	CheckRequest(r OpsRequest, db Database) field.ErrorList
	// Render returns the objects that the database asks for. The same input gives the same objects, and every error is
	// about the input: trying again helps only after that has changed. See MissingSecretError.
	Render(db Database, in Inputs) (Objects, error)
	// Dialect of the configuration files; version may be nil.
	Dialect(version *catalogv1.VersionSpec) mycnf.Dialect
	// Aliases of the certificates that this kind uses.
	Aliases() []string
	// CommonName of those certificates.
	CommonName(db Database) string
	// Reserved names what podTemplates may not touch and what they may override.
	Reserved() Reserved
}

// Settings points at the parts of a database's spec that every kind has, so that a rule about them is written once.
// The pointers lead into the object: writing through them edits it. A nil pointer means that the kind has no such field.
type Settings struct {
	Version        *string
	StorageType    *kubedbv1.StorageType
	DeletionPolicy *kubedbv1.DeletionPolicy
	// TerminationPolicy is the older name of DeletionPolicy; defaulting moves it there.
	TerminationPolicy *kubedbv1.DeletionPolicy
	Halted            *bool
	TLS               **kubedbv1.TLSConfig
	RequireSSL        *bool
	AuthSecret        **kubedbv1.SecretReference
	LicenseSecret     **kubedbv1.SecretReference
	Init              **kubedbv1.InitSpec
	Monitor           **kubedbv1.AgentSpec
	HealthChecker     *kubedbv1.HealthCheckSpec
	AutoOps           **kubedbv1.AutoOps
	ServiceTemplates  *[]kubedbv1.NamedServiceTemplateSpec
	// Groups in the order in which operations restart them: leaves before aggregators, which promote the partner of a leaf.
	Groups []GroupSettings
}

// GroupSettings points at the parts of the spec that belong to one group of pods.
type GroupSettings struct {
	// Name and Title as in ops.Group.
	Name, Title string
	// Workload is the name of the StatefulSet.
	Workload string
	// Path of the struct that holds the fields below, for error messages: spec, or spec.topology.leaf.
	Path *field.Path
	// ConfigField and VolumeField are the words under which a request's configuration and volumeExpansion sections name
	// this group. ConfigField is empty where the section itself is the group's (PerconaXtraDB).
	ConfigField, VolumeField string
	// Replicas is nil for a group that always has one pod.
	Replicas      **int32
	ConfigSecret  **corev1.LocalObjectReference
	Configuration **kubedbv1.ConfigurationSpec
	Storage       **corev1.PersistentVolumeClaimSpec
	Template      **kubedbv1.PodTemplateSpec
}

// PodTemplate is the template, or an empty one when there is none.
func (g GroupSettings) PodTemplate() *kubedbv1.PodTemplateSpec {
	if t := inner(g.Template); t != nil {
		return t
	}
	return &kubedbv1.PodTemplateSpec{}
}

// ReplicaCount is the number of pods the group asks for; 1 when it cannot be set or is not set.
func (g GroupSettings) ReplicaCount() int32 {
	if g.Replicas == nil || *g.Replicas == nil {
		return 1
	}
	return **g.Replicas
}

// Inputs are what rendering reads besides the database object.
type Inputs struct {
	Version catalogv1.VersionSpec
	// UserConfig is the content of the Secrets that configuration.secretName names, by Secret name.
	UserConfig map[string]map[string][]byte
	// TLSSecret is the name of the immutable copy of certificates that pods mount; empty without TLS.
	TLSSecret string
	// Placement tells that the workloads act on a podPlacementPolicy.
	Placement bool
}

// Objects are what one database consists of. Workloads are always StatefulSets here; package apply turns them into
// PetSets where those are asked for.
type Objects struct {
	// ServiceAccount is nil when the pods have accounts of the user's.
	ServiceAccount *corev1.ServiceAccount
	Services       []*corev1.Service
	// AuthSecrets are created once and never overwritten; values that have to be random are left for the caller to fill.
	AuthSecrets []AuthSecret
	// Groups in the order in which operations restart them.
	Groups []GroupObjects
}

// AuthSecret is a Secret with credentials. The caller generates a password for every key of Generate.
type AuthSecret struct {
	Secret   *corev1.Secret
	Generate []string
	// Named tells that the user has written that name, so that a Secret of the user's may have it; the right to read it was
	// asked for.
	Named bool
}

// GroupObjects are the objects of one group of pods.
type GroupObjects struct {
	Name        string
	StatefulSet *appsv1.StatefulSet
	PDB         *policyv1.PodDisruptionBudget
	// Config is the immutable Secret with the rendered configuration; its name ends in the hash of its content.
	Config *corev1.Secret
}
