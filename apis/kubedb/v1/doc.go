// Package v1 holds the kubedb.com/v1 API: PerconaXtraDB, and the types that both database kinds share.
//
// +kubebuilder:object:generate=true
// +groupName=kubedb.com
package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is kubedb.com/v1.
	GroupVersion = schema.GroupVersion{Group: "kubedb.com", Version: "v1"}

	builder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme registers the types of this package.
	AddToScheme = builder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &PerconaXtraDB{}, &PerconaXtraDBList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
