// Package v1alpha1 holds the ops.kubedb.com/v1alpha1 API: one OpsRequest kind per database kind.
//
// +kubebuilder:object:generate=true
// +groupName=ops.kubedb.com
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is ops.kubedb.com/v1alpha1.
	GroupVersion = schema.GroupVersion{Group: "ops.kubedb.com", Version: "v1alpha1"}

	builder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme registers the types of this package.
	AddToScheme = builder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &SinglestoreOpsRequest{}, &SinglestoreOpsRequestList{}, &PerconaXtraDBOpsRequest{}, &PerconaXtraDBOpsRequestList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
