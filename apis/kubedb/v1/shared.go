package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Finalizer holds a database until its deletion policy has been carried out. It is not KubeDB's, for which the API server
// warns on every creation.
const Finalizer = "kubedb.com/provisioner"

// KubeDBFinalizer is what KubeDB's operator holds a database with. One that was taken over still has it.
const KubeDBFinalizer = "kubedb.com"

// StorageType says where a database keeps its data.
//
// +kubebuilder:validation:Enum=Durable;Ephemeral
type StorageType string

// Storage types.
const (
	StorageDurable   StorageType = "Durable"
	StorageEphemeral StorageType = "Ephemeral"
)

// DeletionPolicy says what happens to claims and Secrets when the database object is deleted.
//
// +kubebuilder:validation:Enum=Halt;Delete;WipeOut;DoNotTerminate
type DeletionPolicy string

// Deletion policies.
const (
	// DeletionHalt keeps claims and Secrets.
	DeletionHalt DeletionPolicy = "Halt"
	// DeletionDelete removes claims and keeps Secrets.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionWipeOut removes claims and Secrets.
	DeletionWipeOut DeletionPolicy = "WipeOut"
	// DeletionDoNotTerminate refuses deletion.
	DeletionDoNotTerminate DeletionPolicy = "DoNotTerminate"
)

// DatabasePhase is a one-word summary of a database's conditions.
//
// +kubebuilder:validation:Enum=Provisioning;DataRestoring;Ready;Critical;NotReady;Halted;Unknown
type DatabasePhase string

// Database phases.
const (
	PhaseProvisioning  DatabasePhase = "Provisioning"
	PhaseDataRestoring DatabasePhase = "DataRestoring"
	PhaseReady         DatabasePhase = "Ready"
	PhaseCritical      DatabasePhase = "Critical"
	PhaseNotReady      DatabasePhase = "NotReady"
	PhaseHalted        DatabasePhase = "Halted"
	PhaseUnknown       DatabasePhase = "Unknown"
)

// Condition types of a database. docs/conditions.md is made from their comments.
const (
	// ConditionProvisioningStarted is True once the operator has begun to provision the database.
	ConditionProvisioningStarted = "ProvisioningStarted"
	// ConditionProvisioned is True once all replicas have been Ready.
	ConditionProvisioned = "Provisioned"
	// ConditionReplicaReady is True while all pods are Ready; else the message names the workloads that lack some.
	ConditionReplicaReady = "ReplicaReady"
	// ConditionAcceptingConnection is True while every group has a pod that is Ready.
	ConditionAcceptingConnection = "AcceptingConnection"
	// ConditionReady is True while the database as a whole is Ready; also for tools that know kstatus.
	ConditionReady = "Ready"
	// ConditionDataRestoreStarted is read from others; nothing here restores data.
	ConditionDataRestoreStarted = "DataRestoreStarted"
	// ConditionDataRestored is read from others; nothing here restores data.
	ConditionDataRestored = "DataRestored"
	// ConditionPaused is True while provisioning and spec edits are suspended; it is removed, not set False.
	ConditionPaused = "Paused"
	// ConditionHalted is True while spec.halted keeps the database without workloads, from when the last pod has gone; False until
	// then.
	ConditionHalted = "Halted"
	// ConditionHealthCheckPaused is read from others; while it is True the phase is Unknown.
	ConditionHealthCheckPaused = "HealthCheckPaused"
	// ConditionPodsUpToDate is False while pods run another template than the spec asks for; a Restart request applies it.
	ConditionPodsUpToDate = "PodsUpToDate"
	// ConditionVolumesUpToDate is False while a workload makes claims of another size than the spec asks for, as an
	// expansion that was cut off leaves it; a VolumeExpansion request for the spec's size brings it up to date.
	ConditionVolumesUpToDate = "VolumesUpToDate"
	// ConditionCertificatesReady is False while cert-manager has not issued every certificate as the spec asks; a new
	// database waits for it.
	ConditionCertificatesReady = "CertificatesReady"
	// ConditionCertificatesUpToDate is False while pods mount other certificates than the latest; a Restart request
	// brings them to the pods.
	ConditionCertificatesUpToDate = "CertificatesUpToDate"
	// ConditionDegraded is True after an operation whose undo failed too, until the next one succeeds.
	ConditionDegraded = "Degraded"
	// ConditionReconciling is True while the database is not yet what its spec asks for, or an operation runs; for tools that
	// know kstatus. It is False while the operator cannot or may not go on; pods that wait for a restart do not count.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True while something that somebody has to mend keeps the database from being what its spec asks
	// for; its reason says what. It turns False and is not removed.
	ConditionStalled = "Stalled"
)

// DatabaseStatus is the observed state that every database kind reports.
type DatabaseStatus struct {
	// Conditions are the latest observations, one per type.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Phase summarises the conditions; derived, never an input.
	// +optional
	Phase DatabasePhase `json:"phase,omitempty"`
	// ObservedGeneration is the generation of the spec that was last acted on.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// LastOperation tells how the last finished OpsRequest ended; the request itself may be gone.
	// +optional
	LastOperation *LastOperation `json:"lastOperation,omitempty"`
	// AuthSecret reports on the Secret with the administrator's credentials.
	// +optional
	AuthSecret *AuthSecretStatus `json:"authSecret,omitempty"`
}

// AuthSecretStatus reports on the auth Secret.
type AuthSecretStatus struct {
	// LastUpdateTimestamp is when the credentials last changed.
	// +optional
	LastUpdateTimestamp *metav1.Time `json:"lastUpdateTimestamp,omitempty"`
}

// OperationOutcome is how an operation ended.
//
// +kubebuilder:validation:Enum=Successful;Failed;Canceled
type OperationOutcome string

// Outcomes of an operation.
const (
	OutcomeSuccessful OperationOutcome = "Successful"
	OutcomeFailed     OperationOutcome = "Failed"
	OutcomeCanceled   OperationOutcome = "Canceled"
)

// LastOperation is the outcome of the last OpsRequest that ran on a database.
type LastOperation struct {
	// Kind and Name of the OpsRequest.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// UID of the OpsRequest.
	UID types.UID `json:"uid"`
	// Type of the operation, for example Restart.
	Type string `json:"type"`
	// Outcome of the operation.
	Outcome OperationOutcome `json:"outcome"`
	// Reason is a CamelCase word for the outcome.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says the same to a person.
	// +optional
	Message string `json:"message,omitempty"`
	// FinishedAt is when the database was resumed.
	FinishedAt metav1.Time `json:"finishedAt"`
}

// AutoOps switches automatic operations.
type AutoOps struct {
	// Disabled switches automatic operations off.
	// +optional
	Disabled bool `json:"disabled,omitempty"`
	// RestartOnCertificateRenewal asks for a rolling restart by itself when cert-manager renewed a certificate.
	// +optional
	RestartOnCertificateRenewal bool `json:"restartOnCertificateRenewal,omitempty"`
}

// ConfigurationSpec is a database's custom configuration. Later layers win: operator defaults, the Secret, inline.
type ConfigurationSpec struct {
	// SecretName names a Secret in the same namespace whose keys are configuration files. It is read, never written.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`
	// Inline maps a file name to its content and overrides the Secret.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Inline map[string]string `json:"inline,omitempty"`
}

// SecretReference names a Secret and says who looks after it.
type SecretReference struct {
	// Name of the Secret. Empty lets the operator choose <database>-auth.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// Kind of the reference.
	// +optional
	// +kubebuilder:default=Secret
	Kind string `json:"kind,omitempty"`
	// APIGroup of the reference; empty for core.
	// +optional
	APIGroup string `json:"apiGroup,omitempty"`
	// SecretStoreName names an external secret store.
	// +optional
	SecretStoreName string `json:"secretStoreName,omitempty"`
	// RotateAfter is how long credentials live before they should be rotated.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-+]?(0|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|[uµμ]s|ms|s|m|h))+)$') && duration(self) == duration(self)",message="write a duration such as 10m or 1h30m"
	RotateAfter *metav1.Duration `json:"rotateAfter,omitempty"`
	// ActiveFrom is since when the credentials are in use.
	// +optional
	ActiveFrom *metav1.Time `json:"activeFrom,omitempty"`
	// ExternallyManaged says that somebody else makes the Secret; the operator then only reads it.
	// +optional
	ExternallyManaged bool `json:"externallyManaged,omitempty"`
}
