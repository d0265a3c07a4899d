package v1alpha2

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// KindSinglestore is the kind of the Singlestore object; mind the small second s.
const KindSinglestore = "Singlestore"

// Singlestore is a SingleStore database: standalone, or a cluster of aggregators and leaves.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=singlestores,singular=singlestore,shortName=sdb,categories={datastore,kubedb,appscode,all}
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="LastOperation",type=string,JSONPath=`.status.lastOperation.outcome`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.lastOperation.reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Singlestore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec   SinglestoreSpec         `json:"spec,omitempty"`
	Status kubedbv1.DatabaseStatus `json:"status,omitempty"`
}

// DatabaseStatus returns the part of the status that all kinds share, to read and to change.
func (s *Singlestore) DatabaseStatus() *kubedbv1.DatabaseStatus { return &s.Status }

// SinglestoreList is a list of Singlestore.
//
// +kubebuilder:object:root=true
type SinglestoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Singlestore `json:"items"`
}

// SinglestoreSpec is the desired state of a Singlestore.
type SinglestoreSpec struct {
	// AutoOps switches automatic operations.
	// +optional
	AutoOps *kubedbv1.AutoOps `json:"autoOps,omitempty"`
	// Version names a SinglestoreVersion.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Version string `json:"version,omitempty"`
	// Topology makes the database a cluster; without it, it is standalone.
	// +optional
	Topology *SinglestoreTopology `json:"topology,omitempty"`
	// StorageType is Durable or Ephemeral.
	// +optional
	StorageType kubedbv1.StorageType `json:"storageType,omitempty"`
	// Storage of a standalone database.
	// +optional
	Storage *corev1.PersistentVolumeClaimSpec `json:"storage,omitempty"`
	// ConfigSecret is the older form of configuration.secretName; defaulting moves it there.
	// +optional
	ConfigSecret *corev1.LocalObjectReference `json:"configSecret,omitempty"`
	// Configuration of a standalone database.
	// +optional
	Configuration *kubedbv1.ConfigurationSpec `json:"configuration,omitempty"`
	// PodTemplate of a standalone database.
	// +optional
	PodTemplate *kubedbv1.PodTemplateSpec `json:"podTemplate,omitempty"`
	// Init says how the database gets its first data.
	// +optional
	Init *kubedbv1.InitSpec `json:"init,omitempty"`
	// LicenseSecret holds the SingleStore licence under the key "password".
	LicenseSecret *kubedbv1.SecretReference `json:"licenseSecret"`
	// AuthSecret holds the administrator's credentials.
	// +optional
	AuthSecret *kubedbv1.SecretReference `json:"authSecret,omitempty"`
	// TLS asks for certificates.
	// +optional
	TLS *kubedbv1.TLSConfig `json:"tls,omitempty"`
	// ServiceTemplates overrides the Services.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	ServiceTemplates []kubedbv1.NamedServiceTemplateSpec `json:"serviceTemplates,omitempty" validate:"omitempty,unique=Alias"`
	// Halted removes the workloads and keeps claims and Secrets.
	// +optional
	Halted bool `json:"halted,omitempty"`
	// DeletionPolicy says what a deletion takes along.
	// +optional
	DeletionPolicy kubedbv1.DeletionPolicy `json:"deletionPolicy,omitempty"`
	// TerminationPolicy is the older name of deletionPolicy; defaulting moves it there.
	// +optional
	TerminationPolicy kubedbv1.DeletionPolicy `json:"terminationPolicy,omitempty"`
	// HealthChecker tunes the health check.
	// +optional
	// +kubebuilder:default={periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 1}
	HealthChecker kubedbv1.HealthCheckSpec `json:"healthChecker,omitempty"`
	// Monitor asks for monitoring.
	// +optional
	Monitor *kubedbv1.AgentSpec `json:"monitor,omitempty"`
}

// SinglestoreTopology is the shape of a cluster; it needs both parts.
type SinglestoreTopology struct {
	// Aggregator nodes take queries; ordinal 0 is the master aggregator.
	// +optional
	Aggregator *SinglestoreNode `json:"aggregator,omitempty"`
	// Leaf nodes keep the data.
	// +optional
	Leaf *SinglestoreNode `json:"leaf,omitempty"`
}

// SinglestoreNode is one component of a cluster.
type SinglestoreNode struct {
	// Replicas of the component: 3 aggregators and 2 leaves by default.
	// +optional
	Replicas *int32 `json:"replicas,omitempty" validate:"omitempty,min=1,max=1000"`
	// Suffix goes into the workload's name before the role.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Suffix string `json:"suffix,omitempty"`
	// ConfigSecret is the older form of configuration.secretName; defaulting moves it there.
	// +optional
	ConfigSecret *corev1.LocalObjectReference `json:"configSecret,omitempty"`
	// Configuration of the component.
	// +optional
	Configuration *kubedbv1.ConfigurationSpec `json:"configuration,omitempty"`
	// Storage of each pod.
	// +optional
	Storage *corev1.PersistentVolumeClaimSpec `json:"storage,omitempty"`
	// PodTemplate overrides the pods.
	// +optional
	PodTemplate *kubedbv1.PodTemplateSpec `json:"podTemplate,omitempty"`
}
