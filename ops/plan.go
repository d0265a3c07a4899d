package ops

import (
	"cmp"
	"slices"
	"time"
)

// Side says which state of the saved revision an action works towards.
type Side string

// The sides of a change.
const (
	// Before is the state that the operation found; undo goes back to it.
	Before Side = "Before"
	// Trust is between the two: pods have what others will soon expect of them and expect nothing yet. They trust the
	// old and the new authority and keep their certificates; or they have certificates and do not require them.
	Trust Side = "Trust"
	// After is the state that the request asks for.
	After Side = "After"
)

// Step is one action and the condition type that tells of it.
type Step struct {
	Type   string
	Action Action
	// Units is the number of pods, claims or certificates that DefaultTimeout is multiplied with; at least 1.
	Units int
}

// Timeout is how long a step of that request may take that began at since, and from when on that counts. A step that takes
// one pod after the other has as long for each of them: turn is when it came to the present one, or zero if that is not known.
// However often pods that were done are not Ready again, the step as a whole has an end.
func (s Step) Timeout(r Request, since, turn time.Time) (from time.Time, limit time.Duration) {
	each := cmp.Or(r.Timeout, DefaultTimeout)
	whole := time.Duration(max(s.Units, 1)) * each
	if _, inTurn := s.Action.(RollPods); !inTurn {
		return since, cmp.Or(r.Timeout, whole)
	}
	if turn.Before(since) && !turn.IsZero() {
		turn = since
	}
	if turn.IsZero() || turn.Add(each).After(since.Add(whole)) {
		return since, whole
	}
	return turn, each
}

// Plan is the program that an OpsRequest is compiled to.
type Plan struct {
	Steps []Step
	// Undo runs when a step failed for good or the request was deleted. It ends with the database resumed.
	Undo []Step
}

// Lasting are the steps whose work no undo takes back: volumes cannot shrink.
func (p Plan) Lasting() []Step {
	return slices.DeleteFunc(slices.Clone(p.Steps), func(s Step) bool {
		_, grows := s.Action.(ExpandVolumes)
		return !grows
	})
}

// Change is what the saved revision tells the planner: which groups a request touches and how.
type Change struct {
	Topology Topology
	// SpecChanged is true when the database's spec has to be edited.
	SpecChanged bool
	// Templates and Rolls name the groups whose pod template changes and whose pods restart.
	Templates, Rolls map[string]bool
	// Certificates are the aliases that ReconfigureTLS issues.
	Certificates []string
	// TrustFirst is true when no pod may reach After before every pod has reached Trust.
	TrustFirst bool
	// AddsTLS is true when the database had no TLS before, so that undoing removes what was issued.
	AddsTLS bool
}

// Together tells whether two steps move the same stopped pod on. How far it has come is seen from its claim and its pod, so
// nothing is lost when such steps are told in one write at the end.
func Together(a, b Step) bool {
	pod := stoppedPod(a.Action)
	return pod != "" && pod == stoppedPod(b.Action)
}

// stoppedPod is the pod that an action stops, grows the claim of, or starts; empty for all other actions.
func stoppedPod(a Action) string {
	switch a := a.(type) {
	case StopPod:
		return a.Pod
	case ExpandVolumes:
		return a.Pod
	case StartPod:
		return a.Pod
	case Pause, Resume, EditDatabase, ApplyObjects, RollPods, Verify, DetachWorkload, AwaitPods, IssueCertificates, RemoveCertificates:
	}
	return ""
}

// Action is the closed set of things that a step can do. Package steps carries them out in one switch.
//
//sumtype:decl
type Action interface{ isAction() }

// The actions.
type (
	// Pause closes the gate: condition Paused on the database, held by the request.
	Pause struct{}
	// Resume opens the gate, if the pause is the request's own.
	Resume struct{ Undo bool }
	// EditDatabase writes the spec of that side to the database object.
	EditDatabase struct{ To Side }
	// ApplyObjects writes the workloads of the named groups as that side has them.
	ApplyObjects struct {
		To     Side
		Groups []string
	}
	// RollPods restarts every pod of the group that runs another revision than its workload asks for, one at a time,
	// once the workload is as that side has it.
	RollPods struct {
		To    Side
		Group string
	}
	// Verify reads back what runs.
	Verify struct{ Groups []string }
	// IssueCertificates makes and updates Certificates and waits for their Secrets.
	IssueCertificates struct{ To Side }
	// RemoveCertificates deletes the Certificates and Secrets that the operator made.
	RemoveCertificates struct{}
	// ExpandVolumes grows the claims of the group, or the one claim if Pod is set.
	ExpandVolumes struct{ Group, Pod string }
	// DetachWorkload deletes the workload object of the group and leaves its pods running, unless its claim templates
	// are as that side has them. Applying the workload takes the pods back.
	DetachWorkload struct {
		To    Side
		Group string
	}
	// StopPod deletes a pod of a detached workload.
	StopPod struct{ Group, Pod string }
	// StartPod brings a pod of a detached workload back.
	StartPod struct{ Group, Pod string }
	// AwaitPods brings every pod of the group back that is away, and waits for those that were made since the operation began.
	AwaitPods struct{ Group string }
)

func (Pause) isAction()              {}
func (Resume) isAction()             {}
func (EditDatabase) isAction()       {}
func (ApplyObjects) isAction()       {}
func (RollPods) isAction()           {}
func (Verify) isAction()             {}
func (IssueCertificates) isAction()  {}
func (RemoveCertificates) isAction() {}
func (ExpandVolumes) isAction()      {}
func (DetachWorkload) isAction()     {}
func (StopPod) isAction()            {}
func (StartPod) isAction()           {}
func (AwaitPods) isAction()          {}
