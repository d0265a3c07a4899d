package v1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

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
