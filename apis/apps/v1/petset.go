// Package v1 holds as much of apps.k8s.appscode.com/v1 as the operator needs: PetSet, which some clusters run databases
// with instead of StatefulSets. The API and its controller are other people's, and so is its definition: none is generated
// from here.
//
// +kubebuilder:object:generate=true
// +kubebuilder:skip
package v1

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is apps.k8s.appscode.com/v1.
	GroupVersion = schema.GroupVersion{Group: "apps.k8s.appscode.com", Version: "v1"}

	builder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme registers the types of this package.
	AddToScheme = builder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &PetSet{}, &PetSetList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// PetSet runs pods with names and volumes of their own, as a StatefulSet does.
//
// +kubebuilder:object:root=true
type PetSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec PetSetSpec `json:"spec,omitempty"`
	// Status is a StatefulSet's, field by field.
	Status appsv1.StatefulSetStatus `json:"status,omitempty"`
}

// PetSetSpec is a StatefulSet's spec and what only PetSets have. Nothing in it is immutable, the claim templates
// included.
type PetSetSpec struct {
	appsv1.StatefulSetSpec `json:",inline"`

	// PodPlacementPolicy names the PlacementPolicy that says on which nodes the pods go.
	// +optional
	PodPlacementPolicy *corev1.LocalObjectReference `json:"podPlacementPolicy,omitempty"`
	// Distributed spreads the pods over several clusters. The operator never sets it and leaves it as it is,
	// unless it has to make the PetSet anew.
	// +optional
	Distributed bool `json:"distributed,omitempty"`
}

// PetSetList is a list of PetSets.
//
// +kubebuilder:object:root=true
type PetSetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []PetSet `json:"items"`
}
