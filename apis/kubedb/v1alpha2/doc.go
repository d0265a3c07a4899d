// Package v1alpha2 holds the kubedb.com/v1alpha2 API: Singlestore, and PerconaXtraDB under its older version.
//
// +kubebuilder:object:generate=true
// +groupName=kubedb.com
package v1alpha2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is kubedb.com/v1alpha2.
	GroupVersion = schema.GroupVersion{Group: "kubedb.com", Version: "v1alpha2"}

	builder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme registers the types of this package.
	AddToScheme = builder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Singlestore{}, &SinglestoreList{}, &PerconaXtraDB{}, &PerconaXtraDBList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
