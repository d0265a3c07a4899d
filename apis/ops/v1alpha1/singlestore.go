package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindSinglestoreOpsRequest is the kind of the SinglestoreOpsRequest object.
const KindSinglestoreOpsRequest = "SinglestoreOpsRequest"

// SinglestoreOpsRequest asks for an operation on a Singlestore.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=singlestoreopsrequests,singular=singlestoreopsrequest,shortName=sdbops,categories={ops,kubedb,appscode}
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Database",type=string,JSONPath=`.spec.databaseRef.name`
// +kubebuilder:printcolumn:name="Progress",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Successful")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Successful")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:selectablefield:JSONPath=`.spec.databaseRef.name`
type SinglestoreOpsRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the spec of an OpsRequest cannot change; delete the request to cancel it and create another"
	Spec   SinglestoreOpsRequestSpec `json:"spec,omitempty"`
	Status OpsRequestStatus          `json:"status,omitempty"`
}

// RequestSpec returns the part of the spec that all kinds share.
func (r *SinglestoreOpsRequest) RequestSpec() *OpsRequestSpec { return &r.Spec.OpsRequestSpec }

// RequestStatus returns the status, to read and to change.
func (r *SinglestoreOpsRequest) RequestStatus() *OpsRequestStatus { return &r.Status }

// SinglestoreOpsRequestList is a list of SinglestoreOpsRequest.
//
// +kubebuilder:object:root=true
type SinglestoreOpsRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SinglestoreOpsRequest `json:"items"`
}

// SinglestoreOpsRequestSpec says what to do with a Singlestore. It cannot change.
type SinglestoreOpsRequestSpec struct {
	OpsRequestSpec `json:",inline"`
	// Configuration is the section of Reconfigure.
	// +optional
	Configuration *SinglestoreReconfiguration `json:"configuration,omitempty" validate:"required_if=Type Reconfigure,excluded_unless=Type Reconfigure"`
	// TLS is the section of ReconfigureTLS.
	// +optional
	TLS *TLSSpec `json:"tls,omitempty" validate:"required_if=Type ReconfigureTLS,excluded_unless=Type ReconfigureTLS"`
	// VolumeExpansion is the section of VolumeExpansion.
	// +optional
	VolumeExpansion *SinglestoreVolumeExpansion `json:"volumeExpansion,omitempty" validate:"required_if=Type VolumeExpansion,excluded_unless=Type VolumeExpansion"`
	// HorizontalScaling is the section of an operation that is not carried out here.
	// +optional
	HorizontalScaling *SinglestoreHorizontalScaling `json:"horizontalScaling,omitempty" validate:"omitempty,excluded_unless=Type HorizontalScaling"`
	// VerticalScaling is the section of an operation that is not carried out here.
	// +optional
	VerticalScaling *SinglestoreVerticalScaling `json:"verticalScaling,omitempty" validate:"omitempty,excluded_unless=Type VerticalScaling"`
}

// SinglestoreReconfiguration changes the configuration of a standalone database (node) or of a cluster's components.
type SinglestoreReconfiguration struct {
	// Node of a standalone database.
	// +optional
	Node *ReconfigurationSpec `json:"node,omitempty"`
	// Aggregator nodes of a cluster.
	// +optional
	Aggregator *ReconfigurationSpec `json:"aggregator,omitempty"`
	// Leaf nodes of a cluster.
	// +optional
	Leaf *ReconfigurationSpec `json:"leaf,omitempty"`
}

// SinglestoreVolumeExpansion grows the volumes of a standalone database (node) or of a cluster's components.
type SinglestoreVolumeExpansion struct {
	// Mode of the expansion.
	Mode VolumeExpansionMode `json:"mode" validate:"required,oneof=Online Offline"`
	// Node is the new size for a standalone database.
	// +optional
	Node *resource.Quantity `json:"node,omitempty"`
	// Aggregator is the new size for aggregator nodes.
	// +optional
	Aggregator *resource.Quantity `json:"aggregator,omitempty"`
	// Leaf is the new size for leaf nodes.
	// +optional
	Leaf *resource.Quantity `json:"leaf,omitempty"`
}

// SinglestoreHorizontalScaling asks for other numbers of pods.
type SinglestoreHorizontalScaling struct {
	// +optional
	Aggregator *int32 `json:"aggregator,omitempty"`
	// +optional
	Leaf *int32 `json:"leaf,omitempty"`
}

// SinglestoreVerticalScaling asks for other resources.
type SinglestoreVerticalScaling struct {
	// +optional
	Node *PodResources `json:"node,omitempty"`
	// +optional
	Aggregator *PodResources `json:"aggregator,omitempty"`
	// +optional
	Leaf *PodResources `json:"leaf,omitempty"`
	// +optional
	Coordinator *ContainerResources `json:"coordinator,omitempty"`
}
