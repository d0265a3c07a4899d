package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Finalizer holds a database until its deletion policy has been carried out. KubeDB's own finalizer is the bare
// "kubedb.com", for which the API server warns on every creation.
const Finalizer = "kubedb.com/provisioner"

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

// Condition types of a database.
const (
	ConditionProvisioningStarted = "ProvisioningStarted"
	ConditionProvisioned         = "Provisioned"
	ConditionReplicaReady        = "ReplicaReady"
	ConditionAcceptingConnection = "AcceptingConnection"
	ConditionReady               = "Ready"
	ConditionDataRestoreStarted  = "DataRestoreStarted"
	ConditionDataRestored        = "DataRestored"
	// ConditionPaused is True while provisioning and spec edits are suspended. It is removed, not set False.
	ConditionPaused = "Paused"
	// ConditionHalted is True while spec.halted keeps the database without workloads.
	ConditionHalted            = "Halted"
	ConditionHealthCheckPaused = "HealthCheckPaused"
	// ConditionPodsUpToDate is False while pods run another template than the spec asks for; a Restart request applies it.
	ConditionPodsUpToDate = "PodsUpToDate"
	// ConditionDegraded is True after an operation whose undo failed too, until the next one succeeds.
	ConditionDegraded = "Degraded"
	// ConditionReconciling and ConditionStalled complete the kstatus trio with Ready.
	ConditionReconciling = "Reconciling"
	ConditionStalled     = "Stalled"
)

// ReasonOperationInProgress is the reason of a Paused condition that an OpsRequest holds. Any other reason is a human's pause.
const ReasonOperationInProgress = "OperationInProgress"

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
	RotateAfter *metav1.Duration `json:"rotateAfter,omitempty"`
	// ActiveFrom is since when the credentials are in use.
	// +optional
	ActiveFrom *metav1.Time `json:"activeFrom,omitempty"`
	// ExternallyManaged says that somebody else makes the Secret; the operator then only reads it.
	// +optional
	ExternallyManaged bool `json:"externallyManaged,omitempty"`
}

// TLSConfig asks for TLS. An empty object asks for a managed, self-signed issuer.
type TLSConfig struct {
	// IssuerRef names the cert-manager Issuer or ClusterIssuer that signs every certificate without one of its own.
	// +optional
	IssuerRef *corev1.TypedLocalObjectReference `json:"issuerRef,omitempty"`
	// Certificates overrides settings certificate by certificate.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	Certificates []CertificateSpec `json:"certificates,omitempty" validate:"omitempty,unique=Alias,dive"`
}

// Certificate aliases.
const (
	AliasServer          = "server"
	AliasClient          = "client"
	AliasMetricsExporter = "metrics-exporter"
)

// CertificateSpec overrides the settings of one certificate.
type CertificateSpec struct {
	// Alias of the certificate: server, client or metrics-exporter.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Alias string `json:"alias" validate:"required"`
	// IssuerRef overrides the issuer for this certificate.
	// +optional
	IssuerRef *corev1.TypedLocalObjectReference `json:"issuerRef,omitempty"`
	// SecretName overrides <database>-<alias>-cert.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`
	// Subject of the certificate.
	// +optional
	Subject *X509Subject `json:"subject,omitempty"`
	// Duration the certificate is valid for.
	// +optional
	Duration *metav1.Duration `json:"duration,omitempty" validate:"omitempty,min_duration=1h"`
	// RenewBefore is how long before expiry cert-manager renews the certificate.
	// +optional
	RenewBefore *metav1.Duration `json:"renewBefore,omitempty" validate:"omitempty,min_duration=5m"`
	// DNSNames are added to the database's own names.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	DNSNames []string `json:"dnsNames,omitempty" validate:"omitempty,dive,dns_name"`
	// IPAddresses are added to 127.0.0.1.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=64
	IPAddresses []string `json:"ipAddresses,omitempty" validate:"omitempty,dive,ip"`
	// URIs are added as subject alternative names.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=512
	URIs []string `json:"uris,omitempty" validate:"omitempty,dive,uri"`
	// EmailAddresses are added as subject alternative names.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=320
	EmailAddresses []string `json:"emailAddresses,omitempty" validate:"omitempty,dive,email"`
	// PrivateKey options.
	// +optional
	PrivateKey *CertificatePrivateKey `json:"privateKey,omitempty"`
}

// CertificatePrivateKey are options of a certificate's key.
type CertificatePrivateKey struct {
	// Encoding of the key.
	// +optional
	// +kubebuilder:validation:Enum=PKCS1;PKCS8
	Encoding string `json:"encoding,omitempty"`
}

// X509Subject is the subject of a certificate.
type X509Subject struct {
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	Organizations []string `json:"organizations,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=64
	Countries []string `json:"countries,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	OrganizationalUnits []string `json:"organizationalUnits,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	Localities []string `json:"localities,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	Provinces []string `json:"provinces,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	StreetAddresses []string `json:"streetAddresses,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=64
	PostalCodes []string `json:"postalCodes,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxLength=128
	SerialNumber string `json:"serialNumber,omitempty"`
}

// HealthCheckSpec tunes the health check.
type HealthCheckSpec struct {
	// PeriodSeconds between two checks.
	// +optional
	// +kubebuilder:default=10
	PeriodSeconds *int32 `json:"periodSeconds,omitempty" validate:"omitempty,gt=0"`
	// TimeoutSeconds of one check.
	// +optional
	// +kubebuilder:default=10
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty" validate:"omitempty,gt=0"`
	// FailureThreshold is how many checks in a row must fail.
	// +optional
	// +kubebuilder:default=1
	FailureThreshold *int32 `json:"failureThreshold,omitempty" validate:"omitempty,gt=0"`
	// DisableWriteCheck leaves out the write test.
	// +optional
	DisableWriteCheck bool `json:"disableWriteCheck,omitempty"`
}

// AgentSpec asks for monitoring.
type AgentSpec struct {
	// Agent that scrapes.
	// +optional
	// +kubebuilder:validation:Enum=prometheus.io;prometheus.io/operator;prometheus.io/builtin
	Agent string `json:"agent,omitempty"`
	// Prometheus settings.
	// +optional
	Prometheus *PrometheusSpec `json:"prometheus,omitempty"`
}

// PrometheusSpec are the settings of the Prometheus agents.
type PrometheusSpec struct {
	// +optional
	Exporter PrometheusExporterSpec `json:"exporter,omitempty"`
	// +optional
	ServiceMonitor *ServiceMonitorSpec `json:"serviceMonitor,omitempty"`
}

// PrometheusExporterSpec are the settings of the exporter sidecar.
type PrometheusExporterSpec struct {
	// Port the exporter listens on.
	// +optional
	// +kubebuilder:default=9104
	Port int32 `json:"port,omitempty" validate:"omitempty,min=1024,max=65535"`
	// +optional
	Args []string `json:"args,omitempty"`
	// +optional
	Env []corev1.EnvVar `json:"env,omitempty"`
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
	// +optional
	SecurityContext *corev1.SecurityContext `json:"securityContext,omitempty"`
}

// ServiceMonitorSpec asks for a ServiceMonitor.
type ServiceMonitorSpec struct {
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Interval between scrapes.
	// +optional
	Interval string `json:"interval,omitempty"`
}

// InitSpec says how a new database gets its first data.
type InitSpec struct {
	// Initialized is true once initialisation is over.
	// +optional
	Initialized bool `json:"initialized,omitempty"`
	// WaitForInitialRestore holds the database in Provisioning until data was restored.
	// +optional
	WaitForInitialRestore bool `json:"waitForInitialRestore,omitempty"`
	// Script runs on the first start.
	// +optional
	Script *ScriptSourceSpec `json:"script,omitempty"`
	// Archiver restores from an archive.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	Archiver *runtime.RawExtension `json:"archiver,omitempty"`
}

// ScriptSourceSpec says where the initial script comes from.
type ScriptSourceSpec struct {
	// ScriptPath inside the volume.
	// +optional
	ScriptPath string `json:"scriptPath,omitempty"`
	// Volume that holds the script.
	corev1.VolumeSource `json:",inline"`
	// Git repository that holds the script.
	// +optional
	Git *GitRepo `json:"git,omitempty"`
}

// GitRepo is a repository with initial scripts.
type GitRepo struct {
	// +optional
	Args []string `json:"args,omitempty"`
	// +optional
	Env []corev1.EnvVar `json:"env,omitempty"`
	// +optional
	SecurityContext *corev1.SecurityContext `json:"securityContext,omitempty"`
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
	// +optional
	AuthSecret *corev1.LocalObjectReference `json:"authSecret,omitempty"`
}

// NamedServiceTemplateSpec overrides metadata and spec of one of the database's Services.
type NamedServiceTemplateSpec struct {
	// Alias of the Service.
	// +kubebuilder:validation:Enum=primary;standby;stats;dashboard;secondary
	Alias string `json:"alias"`
	// +optional
	ObjectMeta `json:"metadata,omitempty"`
	// +optional
	Spec ServiceSpec `json:"spec,omitempty"`
}

// ServiceSpec are the settings of a Service a user may override.
type ServiceSpec struct {
	// +optional
	Ports []ServicePort `json:"ports,omitempty"`
	// +optional
	ClusterIP string `json:"clusterIP,omitempty"`
	// +optional
	Type corev1.ServiceType `json:"type,omitempty"`
	// +optional
	ExternalIPs []string `json:"externalIPs,omitempty"`
	// +optional
	LoadBalancerIP string `json:"loadBalancerIP,omitempty"`
	// +optional
	LoadBalancerSourceRanges []string `json:"loadBalancerSourceRanges,omitempty"`
	// +optional
	LoadBalancerClass *string `json:"loadBalancerClass,omitempty"`
	// +optional
	ExternalTrafficPolicy corev1.ServiceExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`
	// +optional
	InternalTrafficPolicy *corev1.ServiceInternalTrafficPolicy `json:"internalTrafficPolicy,omitempty"`
	// +optional
	HealthCheckNodePort int32 `json:"healthCheckNodePort,omitempty"`
	// +optional
	SessionAffinityConfig *corev1.SessionAffinityConfig `json:"sessionAffinityConfig,omitempty"`
}

// ServicePort overrides a port of a Service, matched by name.
type ServicePort struct {
	// +optional
	Name string `json:"name,omitempty"`
	Port int32  `json:"port"`
	// +optional
	NodePort int32 `json:"nodePort,omitempty"`
}

// AllowedConsumers says from which namespaces schemas may refer to a database.
type AllowedConsumers struct {
	// +optional
	Namespaces *ConsumerNamespaces `json:"namespaces,omitempty"`
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// ConsumerNamespaces selects namespaces.
type ConsumerNamespaces struct {
	// +optional
	// +kubebuilder:validation:Enum=All;Selector;Same
	// +kubebuilder:default=Same
	From string `json:"from,omitempty"`
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}
