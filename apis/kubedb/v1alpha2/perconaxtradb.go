package v1alpha2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// PerconaXtraDB is kubedb.com/v1 PerconaXtraDB under its older version. Both versions serve one superset schema,
// so nothing is lost when an object is read in one version and written in the other.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=perconaxtradbs,singular=perconaxtradb,shortName=px,categories={datastore,kubedb,appscode,all}
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="LastOperation",type=string,JSONPath=`.status.lastOperation.outcome`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.lastOperation.reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type PerconaXtraDB struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec   kubedbv1.PerconaXtraDBSpec `json:"spec,omitempty"`
	Status kubedbv1.DatabaseStatus    `json:"status,omitempty"`
}

// PerconaXtraDBList is a list of PerconaXtraDB.
//
// +kubebuilder:object:root=true
type PerconaXtraDBList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PerconaXtraDB `json:"items"`
}
