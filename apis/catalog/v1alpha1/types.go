// Package v1alpha1 holds the catalog.kubedb.com/v1alpha1 API: which images and which dialect a version means.
//
// +kubebuilder:object:generate=true
// +groupName=catalog.kubedb.com
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is catalog.kubedb.com/v1alpha1.
	GroupVersion = schema.GroupVersion{Group: "catalog.kubedb.com", Version: "v1alpha1"}

	builder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme registers the types of this package.
	AddToScheme = builder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &SinglestoreVersion{}, &SinglestoreVersionList{}, &PerconaXtraDBVersion{}, &PerconaXtraDBVersionList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// SinglestoreVersion is one version of SingleStore that can be run.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=singlestoreversions,singular=singlestoreversion,shortName=sdbv,categories={catalog,kubedb,appscode}
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="DB_IMAGE",type=string,JSONPath=`.spec.db.image`
// +kubebuilder:printcolumn:name="Deprecated",type=boolean,JSONPath=`.spec.deprecated`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type SinglestoreVersion struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// +required
	Spec VersionSpec `json:"spec,omitempty"`
}

// SinglestoreVersionList is a list of SinglestoreVersion.
//
// +kubebuilder:object:root=true
type SinglestoreVersionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SinglestoreVersion `json:"items"`
}

// PerconaXtraDBVersion is one version of Percona XtraDB Cluster that can be run.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=perconaxtradbversions,singular=perconaxtradbversion,shortName=pxversion,categories={catalog,kubedb,appscode}
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="DB_IMAGE",type=string,JSONPath=`.spec.db.image`
// +kubebuilder:printcolumn:name="Deprecated",type=boolean,JSONPath=`.spec.deprecated`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type PerconaXtraDBVersion struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// +required
	Spec VersionSpec `json:"spec,omitempty"`
}

// PerconaXtraDBVersionList is a list of PerconaXtraDBVersion.
//
// +kubebuilder:object:root=true
type PerconaXtraDBVersionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PerconaXtraDBVersion `json:"items"`
}

// Image is a container image.
type Image struct {
	// Image reference.
	Image string `json:"image"`
}

// VersionSpec says what a version means.
type VersionSpec struct {
	// Version of the database software.
	Version string `json:"version"`
	// EndOfLife is true when the vendor no longer supports the version.
	// +optional
	EndOfLife bool `json:"endOfLife,omitempty"`
	// Deprecated versions are not admitted for new databases.
	// +optional
	Deprecated bool `json:"deprecated,omitempty"`
	// Dialect of the configuration files: singlestore, mysql or mariadb.
	// +optional
	// +kubebuilder:validation:Enum=singlestore;mysql;mariadb
	Dialect string `json:"dialect,omitempty"`
	// DB is the database image.
	DB Image `json:"db"`
	// Standalone is the image of a standalone database, where that differs.
	// +optional
	Standalone *Image `json:"standalone,omitempty"`
	// Coordinator is the image of the coordinator sidecar.
	// +optional
	Coordinator *Image `json:"coordinator,omitempty"`
	// InitContainer is the image of the init container.
	// +optional
	InitContainer *Image `json:"initContainer,omitempty"`
	// Exporter is the image of the metrics exporter.
	// +optional
	Exporter *Image `json:"exporter,omitempty"`
	// SecurityContext of the database's processes.
	// +optional
	SecurityContext SecurityContext `json:"securityContext,omitempty"`
	// UpdateConstraints limits updates between versions.
	// +optional
	UpdateConstraints *UpdateConstraints `json:"updateConstraints,omitempty"`

	// What follows stands in KubeDB's own entries, so that they can be applied as they are. Nothing is done with it.

	// GitSyncer is the image that fetches scripts from a git repository. Not used.
	// +optional
	GitSyncer *Image `json:"gitSyncer,omitempty"`
	// PodSecurityPolicies names policies of a kind that Kubernetes has no more. Not used.
	// +optional
	PodSecurityPolicies *PodSecurityPolicies `json:"podSecurityPolicies,omitempty"`
	// Stash names the tasks of a backup tool. Not used.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Stash *runtime.RawExtension `json:"stash,omitempty"`
	// UI lists charts of a web console. Not used.
	// +optional
	UI []Chart `json:"ui,omitempty"`
}

// PodSecurityPolicies are named by KubeDB's entries.
type PodSecurityPolicies struct {
	// DatabasePolicyName is the policy of database pods.
	DatabasePolicyName string `json:"databasePolicyName"`
}

// Chart is a part of a web console.
type Chart struct {
	// Name of the chart.
	Name string `json:"name"`
	// Version of the chart.
	// +optional
	Version string `json:"version,omitempty"`
	// Disable leaves the chart out.
	// +optional
	Disable bool `json:"disable,omitempty"`
	// Values of the chart.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Values *runtime.RawExtension `json:"values,omitempty"`
}

// SecurityContext is who the database runs as.
type SecurityContext struct {
	// +optional
	RunAsUser *int64 `json:"runAsUser,omitempty"`
	// +optional
	RunAsGroup *int64 `json:"runAsGroup,omitempty"`
}

// UpdateConstraints are semantic version ranges.
type UpdateConstraints struct {
	// +optional
	Allowlist []string `json:"allowlist,omitempty"`
	// +optional
	Denylist []string `json:"denylist,omitempty"`
}

// VersionSpec returns the spec that both kinds share.
func (v *SinglestoreVersion) VersionSpec() *VersionSpec { return &v.Spec }

// VersionSpec returns the spec that both kinds share.
func (v *PerconaXtraDBVersion) VersionSpec() *VersionSpec { return &v.Spec }
