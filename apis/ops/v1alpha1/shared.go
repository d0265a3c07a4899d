package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// OpsType is the operation that a request asks for.
//
// +kubebuilder:validation:Enum=UpdateVersion;HorizontalScaling;VerticalScaling;VolumeExpansion;Restart;Reconfigure;ReconfigureTLS;RotateAuth;StorageMigration
type OpsType string

// Operation types. The first four are carried out; the others are known to the API and refused by admission.
const (
	Restart         OpsType = "Restart"
	Reconfigure     OpsType = "Reconfigure"
	ReconfigureTLS  OpsType = "ReconfigureTLS"
	VolumeExpansion OpsType = "VolumeExpansion"

	UpdateVersion     OpsType = "UpdateVersion"
	HorizontalScaling OpsType = "HorizontalScaling"
	VerticalScaling   OpsType = "VerticalScaling"
	RotateAuth        OpsType = "RotateAuth"
	StorageMigration  OpsType = "StorageMigration"
)

// ApplyOption says in which state of the database a request may run.
//
// +kubebuilder:validation:Enum=IfReady;Always
type ApplyOption string

// Apply options.
const (
	// ApplyIfReady waits until the database is Ready.
	ApplyIfReady ApplyOption = "IfReady"
	// ApplyAlways does not wait until the database is Ready; one that is halted, paused or unmade is waited for all the same.
	ApplyAlways ApplyOption = "Always"
)

// OpsPhase summarises a request's conditions; derived, never an input.
//
// +kubebuilder:validation:Enum=Pending;Progressing;Successful;WaitingForApproval;Failed;Approved;Denied;Skipped
type OpsPhase string

// Phases that requests take here; the approval phases exist for compatibility only.
const (
	PhasePending     OpsPhase = "Pending"
	PhaseProgressing OpsPhase = "Progressing"
	PhaseSuccessful  OpsPhase = "Successful"
	PhaseFailed      OpsPhase = "Failed"
)

// OpsRequestSpec is what every kind's request has.
type OpsRequestSpec struct {
	// DatabaseRef names the database, in the request's own namespace.
	DatabaseRef DatabaseReference `json:"databaseRef"`
	// Type of the operation.
	Type OpsType `json:"type"`
	// Timeout of each step, and of each pod of a step that restarts one after the other. The default is 10 minutes for each pod,
	// claim or certificate of the step.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-+]?(0|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|[uµμ]s|ms|s|m|h))+)$') && duration(self) == duration(self)",message="write a duration such as 10m or 1h30m"
	Timeout *metav1.Duration `json:"timeout,omitempty" validate:"omitempty,min_duration=1s"`
	// Apply says whether to wait until the database is Ready.
	// +optional
	// +kubebuilder:default=IfReady
	Apply ApplyOption `json:"apply,omitempty"`
	// MaxRetries is how often a failed step is tried again before the operation is undone.
	// +optional
	// +kubebuilder:default=1
	MaxRetries *int32 `json:"maxRetries,omitempty" validate:"omitempty,min=0"`
	// Restart has no settings and need not be given.
	// +optional
	Restart *RestartSpec `json:"restart,omitempty" validate:"omitempty,excluded_unless=Type Restart"`
	// UpdateVersion is the section of an operation that is not carried out here.
	// +optional
	UpdateVersion *UpdateVersionSpec `json:"updateVersion,omitempty" validate:"omitempty,excluded_unless=Type UpdateVersion"`
	// Authentication is the section of an operation that is not carried out here.
	// +optional
	Authentication *AuthSpec `json:"authentication,omitempty" validate:"omitempty,excluded_unless=Type RotateAuth"`
	// Migration is the section of an operation that is not carried out here.
	// +optional
	Migration *StorageMigrationSpec `json:"migration,omitempty" validate:"omitempty,excluded_unless=Type StorageMigration"`
}

// DatabaseReference names a database.
type DatabaseReference struct {
	// Name of the database.
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty" validate:"required"`
}

// RestartSpec has no settings.
type RestartSpec struct{}

// RestartPolicy says whether a reconfiguration restarts pods.
//
// +kubebuilder:validation:Enum=auto;"true";"false"
type RestartPolicy string

// Restart policies of a reconfiguration.
const (
	// RestartAuto restarts only what runs another configuration.
	RestartAuto RestartPolicy = "auto"
	// RestartTrue always restarts.
	RestartTrue RestartPolicy = "true"
	// RestartFalse writes the configuration and leaves the pods alone.
	RestartFalse RestartPolicy = "false"
)

// ReconfigurationSpec changes the custom configuration of one component.
type ReconfigurationSpec struct {
	// ConfigSecret replaces the Secret that the database refers to.
	// +optional
	ConfigSecret *corev1.LocalObjectReference `json:"configSecret,omitempty"`
	// ApplyConfig maps a file name to settings that are merged into the inline configuration.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	ApplyConfig map[string]string `json:"applyConfig,omitempty"`
	// RemoveCustomConfig forgets all earlier custom configuration before the rest of this request is applied.
	// +optional
	RemoveCustomConfig bool `json:"removeCustomConfig,omitempty"`
	// Restart says whether pods restart.
	// +optional
	// +kubebuilder:default=auto
	Restart RestartPolicy `json:"restart,omitempty"`
}

// TLSSpec changes a database's TLS: exactly one of a new configuration, a rotation or a removal.
type TLSSpec struct {
	kubedbv1.TLSConfig `json:",inline"`
	// RotateCertificates issues every certificate once more.
	// +optional
	RotateCertificates bool `json:"rotateCertificates,omitempty"`
	// Remove takes TLS away.
	// +optional
	Remove bool `json:"remove,omitempty"`
}

// VolumeExpansionMode says whether pods keep running while their volumes grow.
//
// +kubebuilder:validation:Enum=Offline;Online
type VolumeExpansionMode string

// Volume expansion modes.
const (
	ModeOffline VolumeExpansionMode = "Offline"
	ModeOnline  VolumeExpansionMode = "Online"
)

// OpsRequestStatus is the observed state of a request.
type OpsRequestStatus struct {
	// Conditions are one per step and a summary: Successful, Failed, and Ready, Reconciling, Stalled for tools.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Phase summarises the conditions.
	// +optional
	Phase OpsPhase `json:"phase,omitempty"`
	// Progress counts finished steps, for example "3/5".
	// +optional
	Progress string `json:"progress,omitempty"`
	// ObservedGeneration is the generation that was last acted on.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Retries counts how often the current step was tried again.
	// +optional
	Retries int32 `json:"retries,omitempty"`
	// PausedBackups lists backup configurations that this request paused.
	// +optional
	PausedBackups []corev1.TypedObjectReference `json:"pausedBackups,omitempty"`
}

// UpdateVersionSpec asks for another version.
type UpdateVersionSpec struct {
	// +optional
	TargetVersion string `json:"targetVersion,omitempty"`
	// +optional
	ReadinessCriteria *RestartSpec `json:"readinessCriteria,omitempty"`
}

// AuthSpec asks for other credentials.
type AuthSpec struct {
	// +optional
	SecretRef *kubedbv1.SecretReference `json:"secretRef,omitempty"`
}

// StorageMigrationSpec asks for another StorageClass.
type StorageMigrationSpec struct {
	// +optional
	StorageClassName *string `json:"storageClassName,omitempty"`
	// +optional
	OldPVReclaimPolicy corev1.PersistentVolumeReclaimPolicy `json:"oldPVReclaimPolicy,omitempty"`
}

// PodResources asks for other resources of pods.
type PodResources struct {
	// +optional
	NodeSelectionPolicy string `json:"nodeSelectionPolicy,omitempty"`
	// +optional
	Topology *TopologyKey `json:"topology,omitempty"`
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
}

// TopologyKey selects nodes by label.
type TopologyKey struct {
	// +optional
	Key string `json:"key,omitempty"`
	// +optional
	Value string `json:"value,omitempty"`
}

// ContainerResources asks for other resources of a container.
type ContainerResources struct {
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
}
