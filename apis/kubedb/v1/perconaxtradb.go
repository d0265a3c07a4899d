package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindPerconaXtraDB is the kind of the PerconaXtraDB object.
const KindPerconaXtraDB = "PerconaXtraDB"

// PerconaXtraDB is a Percona XtraDB Cluster.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:path=perconaxtradbs,singular=perconaxtradb,shortName=px,categories={datastore,kubedb,appscode,all}
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="LastOperation",type=string,JSONPath=`.status.lastOperation.outcome`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.lastOperation.reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type PerconaXtraDB struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec   PerconaXtraDBSpec `json:"spec,omitempty"`
	Status DatabaseStatus    `json:"status,omitempty"`
}

// DatabaseStatus returns the part of the status that all kinds share, to read and to change.
func (p *PerconaXtraDB) DatabaseStatus() *DatabaseStatus { return &p.Status }

// PerconaXtraDBList is a list of PerconaXtraDB.
//
// +kubebuilder:object:root=true
type PerconaXtraDBList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PerconaXtraDB `json:"items"`
}

// PerconaXtraDBSpec is the desired state of a PerconaXtraDB. It is one superset of the v1 and v1alpha2 shapes.
type PerconaXtraDBSpec struct {
	// AutoOps switches automatic operations.
	// +optional
	AutoOps *AutoOps `json:"autoOps,omitempty"`
	// Version names a PerconaXtraDBVersion.
	// +kubebuilder:validation:MaxLength=63
	Version string `json:"version"`
	// Replicas of the cluster; at least 3.
	// +optional
	Replicas *int32 `json:"replicas,omitempty" validate:"omitempty,min=3,max=1000"`
	// StorageType is Durable or Ephemeral.
	// +optional
	StorageType StorageType `json:"storageType,omitempty"`
	// Storage of each pod; required when StorageType is Durable.
	// +optional
	Storage *corev1.PersistentVolumeClaimSpec `json:"storage,omitempty"`
	// AuthSecret holds the administrator's credentials.
	// +optional
	AuthSecret *SecretReference `json:"authSecret,omitempty"`
	// Init says how the database gets its first data.
	// +optional
	Init *InitSpec `json:"init,omitempty"`
	// Monitor asks for monitoring.
	// +optional
	Monitor *AgentSpec `json:"monitor,omitempty"`
	// ConfigSecret is the older form of configuration.secretName; defaulting moves it there.
	// +optional
	ConfigSecret *corev1.LocalObjectReference `json:"configSecret,omitempty"`
	// Configuration is the custom configuration.
	// +optional
	Configuration *ConfigurationSpec `json:"configuration,omitempty"`
	// PodTemplate overrides the pods.
	// +optional
	PodTemplate PodTemplateSpec `json:"podTemplate,omitempty"`
	// ServiceTemplates overrides the Services.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	ServiceTemplates []NamedServiceTemplateSpec `json:"serviceTemplates,omitempty" validate:"omitempty,unique=Alias"`
	// RequireSSL makes the server refuse clients without TLS.
	// +optional
	RequireSSL bool `json:"requireSSL,omitempty"`
	// TLS asks for certificates.
	// +optional
	TLS *TLSConfig `json:"tls,omitempty"`
	// Halted removes the workloads and keeps claims and Secrets.
	// +optional
	Halted bool `json:"halted,omitempty"`
	// DeletionPolicy says what a deletion takes along.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
	// TerminationPolicy is the older name of deletionPolicy; defaulting moves it there.
	// +optional
	TerminationPolicy DeletionPolicy `json:"terminationPolicy,omitempty"`
	// Coordinator holds settings of the px-coordinator container (older shape).
	// +optional
	Coordinator *CoordinatorSpec `json:"coordinator,omitempty"`
	// AllowedSchemas says who may refer to this database.
	// +optional
	AllowedSchemas *AllowedConsumers `json:"allowedSchemas,omitempty"`
	// HealthChecker tunes the health check.
	// +optional
	// +kubebuilder:default={periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 1}
	HealthChecker HealthCheckSpec `json:"healthChecker,omitempty"`
	// SystemUserSecrets are the Secrets of internal users.
	// +optional
	SystemUserSecrets *SystemUserSecretsSpec `json:"systemUserSecrets,omitempty"`
}

// CoordinatorSpec are settings of the coordinator container.
type CoordinatorSpec struct {
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
	// +optional
	SecurityContext *corev1.SecurityContext `json:"securityContext,omitempty"`
}

// SystemUserSecretsSpec names the Secrets of internal users.
type SystemUserSecretsSpec struct {
	// +optional
	ReplicationUserSecret *SecretReference `json:"replicationUserSecret,omitempty"`
	// +optional
	MonitorUserSecret *SecretReference `json:"monitorUserSecret,omitempty"`
}
