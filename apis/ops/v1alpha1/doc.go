// Package v1alpha1 holds the ops.kubedb.com/v1alpha1 API: one OpsRequest kind per database kind.
//
// +kubebuilder:object:generate=true
// +groupName=ops.kubedb.com
package v1alpha1

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/scheme"
)

var (
	// GroupVersion is ops.kubedb.com/v1alpha1.
	GroupVersion  = schema.GroupVersion{Group: "ops.kubedb.com", Version: "v1alpha1"}
	schemeBuilder = &scheme.Builder{GroupVersion: GroupVersion}
	// AddToScheme registers the types of this package.
	AddToScheme = schemeBuilder.Register(&SinglestoreOpsRequest{}, &SinglestoreOpsRequestList{},
		&PerconaXtraDBOpsRequest{}, &PerconaXtraDBOpsRequestList{}).AddToScheme
)
