package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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
