package steps

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// TLS is what an operation that issues certificates was planned from.
type TLS struct {
	// Certificates are the aliases.
	Certificates []string `json:"certificates"`
	// Adds is true when the database asked for no TLS before.
	Adds bool `json:"adds,omitempty"`
	// Records by alias: what each Certificate had been through when the operation began.
	Records map[string]certs.Record `json:"records,omitempty"`
}

// Copies are the copies of certificates that an operation mounts. Their names end in the hash of their content, so they
// are known only after issuing; they are recorded once, so that a renewal later on changes nothing any more.
type Copies struct {
	// Trust by group, and After.
	Trust map[string]string `json:"trust,omitempty"`
	After string            `json:"after"`
	// Mounted describes After on the workloads.
	Mounted string `json:"mounted"`
}

func (c *Copies) names() []string {
	if c == nil {
		return nil
	}
	return append(slices.Sorted(maps.Values(c.Trust)), c.After)
}

func (c *Copies) equal(other *Copies) bool {
	return maps.Equal(c.Trust, other.Trust) && c.After == other.After && c.Mounted == other.Mounted
}

// CopyOf is the name of the copy of certificates that the pods of a workload mount; empty when there is none.
func CopyOf(db string, set *appsv1.StatefulSet) string {
	if set == nil {
		return ""
	}
	return CopyIn(db, set.Spec.Template.Spec)
}

// CopyIn is the name of the copy of certificates that a pod mounts; empty when there is none.
func CopyIn(db string, spec corev1.PodSpec) string {
	for _, v := range spec.Volumes {
		if v.Secret != nil && certs.IsCopy(db, v.Secret.SecretName) {
			return v.Secret.SecretName // the operator's volumes stand before the user's
		}
	}
	return ""
}

// Mounting returns the workload with another copy. mounted describes the copy; empty leaves the description as it is.
func Mounting(db string, set *appsv1.StatefulSet, name, mounted string) (*appsv1.StatefulSet, error) {
	old := CopyOf(db, set)
	set = set.DeepCopy()
	if mounted != "" {
		metav1.SetMetaDataAnnotation(&set.ObjectMeta, opsv1.AnnotationCertificates, mounted)
	}
	if old == "" || old == name {
		return set, nil
	}
	for i := range set.Spec.Template.Spec.Volumes {
		if source := set.Spec.Template.Spec.Volumes[i].Secret; source != nil && source.SecretName == old {
			source.SecretName = name
		}
	}
	hash, err := apply.TemplateHash(set.Spec.Template)
	if err != nil {
		return nil, err
	}
	metav1.SetMetaDataAnnotation(&set.ObjectMeta, opsv1.AnnotationTemplateHash, hash)
	return set, nil
}

// mountedBefore tells whether pods mounted that copy when the operation began.
func (s *Saved) mountedBefore(secret string) bool {
	for _, set := range s.Before.Workloads {
		if CopyOf(s.Topology.Database, set) == secret {
			return true
		}
	}
	return false
}

// awaits tells whether that side names copies that are not known before the certificates are issued.
func (s *Saved) awaits(side ops.Side) bool {
	var workloads map[string]*appsv1.StatefulSet
	switch side {
	case ops.After:
		workloads = s.After.Workloads
	case ops.Trust:
		workloads = s.Trust
	case ops.Before:
	}
	for _, set := range workloads {
		if CopyOf(s.Topology.Database, set) == certs.PendingCopy(s.Topology.Database) {
			return true
		}
	}
	return false
}

// issued puts the names of the copies in their places.
func (s *Saved) issued(side ops.Side, state State) (State, error) {
	db := s.Topology.Database
	resolved := State{Spec: state.Spec, Workloads: make(map[string]*appsv1.StatefulSet, len(state.Workloads))}
	for name, set := range state.Workloads {
		resolved.Workloads[name] = set
		if CopyOf(db, set) != certs.PendingCopy(db) {
			continue
		}
		if s.Copies == nil {
			return State{}, fmt.Errorf("the certificates that %s mounts have not been issued", set.Name)
		}
		secret, mounted := s.Copies.After, s.Copies.Mounted
		if trusting := s.Copies.Trust[name]; side == ops.Trust && trusting != "" {
			if secret, mounted = trusting, ""; CopyOf(db, s.Before.Workloads[name]) == secret {
				resolved.Workloads[name] = s.Before.Workloads[name] // nothing new to trust
				continue
			}
		}
		var err error
		if resolved.Workloads[name], err = Mounting(db, set, secret, mounted); err != nil {
			return State{}, err
		}
	}
	return resolved, nil
}
