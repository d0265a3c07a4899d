// Package v1 holds the kubedb.com/v1 API: PerconaXtraDB, and the types that both database kinds share.
//
// +kubebuilder:object:generate=true
// +groupName=kubedb.com
package v1

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/scheme"
)

var (
	// GroupVersion is kubedb.com/v1.
	GroupVersion  = schema.GroupVersion{Group: "kubedb.com", Version: "v1"}
	schemeBuilder = &scheme.Builder{GroupVersion: GroupVersion}
	// AddToScheme registers the types of this package.
	AddToScheme = schemeBuilder.Register(&PerconaXtraDB{}, &PerconaXtraDBList{}).AddToScheme
)
