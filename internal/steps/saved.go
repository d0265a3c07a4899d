package steps

import (
	"encoding/json"
	"fmt"
	"slices"

	jsonpatch "github.com/evanphx/json-patch/v5"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// Saved is what a running operation was planned from: the database as it was and as the request makes it. It is kept
// in a ControllerRevision, so that a crash, an upgrade of the operator or a changed Secret changes no plan.
type Saved struct {
	Request  types.UID    `json:"request"`
	Topology ops.Topology `json:"topology"`
	Before   State        `json:"before"`
	After    State        `json:"after"`
	// Rolls names the groups whose pods have to restart.
	Rolls []string `json:"rolls,omitempty"`
	// Configs are the Secrets that the configuration was rendered to, mounted or not.
	Configs []string `json:"configs,omitempty"`
	// Trust is what workloads pass through on the way to After; nil when nothing keeps them from going there at once.
	Trust map[string]*appsv1.StatefulSet `json:"trust,omitempty"`
	// TLS is set when the operation issues certificates.
	TLS *TLS `json:"tls,omitempty"`
	// Copies is not saved here but recorded once the certificates are issued.
	Copies *Copies `json:"copies,omitempty"`
}

// State is one side of a change.
type State struct {
	// Spec of the database.
	Spec json.RawMessage `json:"spec"`
	// Workloads by group name: the StatefulSets as they are applied.
	Workloads map[string]*appsv1.StatefulSet `json:"workloads"`
}

// ReadSaved reads a saved revision. One that somebody has tampered with is an error, and no reason to panic later.
func ReadSaved(raw []byte) (*Saved, error) {
	var s Saved
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	for side, state := range map[ops.Side]State{ops.Before: s.Before, ops.After: s.After} {
		var spec map[string]json.RawMessage
		if err := json.Unmarshal(state.Spec, &spec); err != nil || spec == nil {
			return nil, fmt.Errorf("side %s has no spec", side)
		}
	}
	for side, workloads := range map[ops.Side]map[string]*appsv1.StatefulSet{
		ops.Before: s.Before.Workloads, ops.After: s.After.Workloads, ops.Trust: s.Trust,
	} {
		for group, set := range workloads {
			if set == nil || s.Before.Workloads[group] == nil {
				return nil, fmt.Errorf("side %s has no workload for group %s", side, group)
			}
		}
	}
	for _, g := range s.Topology.Groups {
		if s.After.Workloads[g.Name] == nil {
			return nil, fmt.Errorf("there is no workload for group %s", g.Name)
		}
	}
	return &s, nil
}

// Mounts tells whether the pods of the workload mount the Secret, which therefore exists.
func Mounts(set *appsv1.StatefulSet, secret string) bool {
	for _, name := range SecretVolumes(set.Spec.Template.Spec) {
		if name == secret {
			return true
		}
	}
	return false
}

// Change is what the planner needs to know.
func (s *Saved) Change() ops.Change {
	c := ops.Change{
		Topology:    s.Topology,
		SpecChanged: !jsonpatch.Equal(s.Before.Spec, s.After.Spec),
		Templates:   map[string]bool{},
		Rolls:       map[string]bool{},
		TrustFirst:  len(s.Trust) > 0,
	}
	if s.TLS != nil {
		c.Certificates, c.AddsTLS = s.TLS.Certificates, s.TLS.Adds
	}
	for name, after := range s.After.Workloads {
		if !sameTemplate(after, s.Before.Workloads[name]) {
			c.Templates[name] = true
		}
	}
	for _, name := range s.Rolls {
		c.Rolls[name] = true
	}
	return c
}

// Side returns the state an action works towards.
func (s *Saved) Side(side ops.Side) (State, error) {
	switch side {
	case ops.Before:
		return s.Before, nil
	case ops.After:
		return s.issued(side, s.After)
	case ops.Trust:
		if s.Trust != nil {
			return s.issued(side, State{Workloads: s.Trust})
		}
	}
	return State{}, fmt.Errorf("the saved revision has no side %q", side)
}

// specPatch is the merge patch that leads from the other side's spec to this one's. A patch, not the whole spec, so
// that whatever else changed meanwhile stays as it is.
func (s *Saved) specPatch(to ops.Side) ([]byte, error) {
	from, dest := s.Before.Spec, s.After.Spec
	if to == ops.Before {
		from, dest = dest, from
	}
	patch, err := jsonpatch.CreateMergePatch(from, dest)
	if err != nil {
		return nil, fmt.Errorf("comparing the saved specs: %w", err)
	}
	return patch, nil
}

// sameTemplate tells whether two workloads run the same pods.
func sameTemplate(a, b *appsv1.StatefulSet) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Annotations[opsv1.AnnotationTemplateHash] == b.Annotations[opsv1.AnnotationTemplateHash] &&
		a.Spec.Template.Annotations[opsv1.AnnotationRestart] == b.Spec.Template.Annotations[opsv1.AnnotationRestart]
}

// runs tells whether the live workload has the pod template of the saved one: only then its update revision says
// which pods are done.
func runs(live, saved *appsv1.StatefulSet) bool {
	return sameTemplate(live, saved) && apply.Contains(&live.Spec.Template, &saved.Spec.Template)
}

// Keep strips a live workload to what can be applied again.
func Keep(live *appsv1.StatefulSet) *appsv1.StatefulSet {
	kept := &appsv1.StatefulSet{Spec: *live.Spec.DeepCopy()}
	kept.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"}
	kept.Name, kept.Namespace = live.Name, live.Namespace
	kept.Labels, kept.Annotations = live.Labels, live.Annotations
	kept.Spec.Template.CreationTimestamp = metav1.Time{}
	return kept
}

// Secrets are the names of all Secrets that the pods of either side mount.
func (s *Saved) Secrets() map[string]bool {
	names := map[string]bool{}
	for _, workloads := range []map[string]*appsv1.StatefulSet{s.Before.Workloads, s.Trust, s.After.Workloads} {
		for _, set := range workloads {
			if set == nil {
				continue // in a revision that was tampered with, and is collected all the same
			}
			for _, secret := range SecretVolumes(set.Spec.Template.Spec) {
				names[secret] = true
			}
		}
	}
	for _, secret := range slices.Concat(s.Configs, s.Copies.names()) {
		names[secret] = true
	}
	delete(names, certs.PendingCopy(s.Topology.Database))
	return names
}
