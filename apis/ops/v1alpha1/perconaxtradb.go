package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindPerconaXtraDBOpsRequest is the kind of the PerconaXtraDBOpsRequest object.
const KindPerconaXtraDBOpsRequest = "PerconaXtraDBOpsRequest"

// PerconaXtraDBOpsRequest asks for an operation on a PerconaXtraDB.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=perconaxtradbopsrequests,singular=perconaxtradbopsrequest,shortName=pxcops,categories={ops,kubedb,appscode}
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Database",type=string,JSONPath=`.spec.databaseRef.name`
// +kubebuilder:printcolumn:name="Progress",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Successful")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Successful")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:selectablefield:JSONPath=`.spec.databaseRef.name`
type PerconaXtraDBOpsRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the spec of an OpsRequest cannot change; delete the request to cancel it and create another"
	Spec   PerconaXtraDBOpsRequestSpec `json:"spec,omitempty"`
	Status OpsRequestStatus            `json:"status,omitempty"`
}

// RequestSpec returns the part of the spec that all kinds share.
func (r *PerconaXtraDBOpsRequest) RequestSpec() *OpsRequestSpec { return &r.Spec.OpsRequestSpec }

// RequestStatus returns the status, to read and to change.
func (r *PerconaXtraDBOpsRequest) RequestStatus() *OpsRequestStatus { return &r.Status }

// PerconaXtraDBOpsRequestList is a list of PerconaXtraDBOpsRequest.
//
// +kubebuilder:object:root=true
type PerconaXtraDBOpsRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PerconaXtraDBOpsRequest `json:"items"`
}

// PerconaXtraDBOpsRequestSpec says what to do with a PerconaXtraDB. It cannot change.
type PerconaXtraDBOpsRequestSpec struct {
	OpsRequestSpec `json:",inline"`
	// Configuration is the section of Reconfigure.
	// +optional
	Configuration *ReconfigurationSpec `json:"configuration,omitempty" validate:"required_if=Type Reconfigure,excluded_unless=Type Reconfigure"`
	// TLS is the section of ReconfigureTLS.
	// +optional
	TLS *PerconaXtraDBTLSSpec `json:"tls,omitempty" validate:"required_if=Type ReconfigureTLS,excluded_unless=Type ReconfigureTLS"`
	// VolumeExpansion is the section of VolumeExpansion.
	// +optional
	VolumeExpansion *PerconaXtraDBVolumeExpansion `json:"volumeExpansion,omitempty" validate:"required_if=Type VolumeExpansion,excluded_unless=Type VolumeExpansion"`
	// HorizontalScaling is the section of an operation that is not carried out here.
	// +optional
	HorizontalScaling *PerconaXtraDBHorizontalScaling `json:"horizontalScaling,omitempty" validate:"omitempty,excluded_unless=Type HorizontalScaling"`
	// VerticalScaling is the section of an operation that is not carried out here.
	// +optional
	VerticalScaling *PerconaXtraDBVerticalScaling `json:"verticalScaling,omitempty" validate:"omitempty,excluded_unless=Type VerticalScaling"`
}

// PerconaXtraDBTLSSpec is TLSSpec with requireSSL.
type PerconaXtraDBTLSSpec struct {
	TLSSpec `json:",inline"`
	// RequireSSL makes the server refuse clients without TLS, or accept them again.
	// +optional
	RequireSSL *bool `json:"requireSSL,omitempty"`
}

// PerconaXtraDBVolumeExpansion grows the volumes of a PerconaXtraDB.
type PerconaXtraDBVolumeExpansion struct {
	// Mode of the expansion.
	Mode VolumeExpansionMode `json:"mode" validate:"required,oneof=Online Offline"`
	// PerconaXtraDB is the new size.
	// +optional
	PerconaXtraDB *resource.Quantity `json:"perconaxtradb,omitempty"`
}

// PerconaXtraDBHorizontalScaling asks for another number of pods.
type PerconaXtraDBHorizontalScaling struct {
	// +optional
	Member *int32 `json:"member,omitempty"`
	// +optional
	MemberWeight *int32 `json:"memberWeight,omitempty"`
}

// PerconaXtraDBVerticalScaling asks for other resources.
type PerconaXtraDBVerticalScaling struct {
	// +optional
	PerconaXtraDB *PodResources `json:"perconaxtradb,omitempty"`
	// +optional
	Exporter *ContainerResources `json:"exporter,omitempty"`
	// +optional
	Coordinator *ContainerResources `json:"coordinator,omitempty"`
}
