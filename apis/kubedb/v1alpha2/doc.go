// Package v1alpha2 holds the kubedb.com/v1alpha2 API: Singlestore, and PerconaXtraDB under its older version.
//
// +kubebuilder:object:generate=true
// +groupName=kubedb.com
package v1alpha2

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/scheme"
)

var (
	// GroupVersion is kubedb.com/v1alpha2.
	GroupVersion  = schema.GroupVersion{Group: "kubedb.com", Version: "v1alpha2"}
	schemeBuilder = &scheme.Builder{GroupVersion: GroupVersion}
	// AddToScheme registers the types of this package.
	AddToScheme = schemeBuilder.Register(&Singlestore{}, &SinglestoreList{}, &PerconaXtraDB{}, &PerconaXtraDBList{}).AddToScheme
)
