package ops

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// model is a little cluster with one workload under OnDelete. A controller brings missing pods back, a kubelet starts
// them, a budget guards them. It knows nothing of NextPod.
type model struct {
	replicas int32
	// revision is what the workload asks for; the controller has seen known.
	revision, known      string
	generation, observed int64
	pods                 map[int32]*Pod
	created              int
	// starts tells whether a pod comes up now. nil: it does.
	starts func(m *model, pod *Pod) bool
	// evictions and refusals since the last apply.
	evictions []Pod
	refusals  int
	past      []Workload
	random    *rand.Rand // nil: everything that can happen happens at once
}

func newModel(replicas int32, revision string, random *rand.Rand) *model {
	m := &model{replicas: replicas, revision: revision, known: revision, generation: 1, observed: 1, pods: map[int32]*Pod{}, random: random}
	for i := range replicas {
		m.create(i)
		m.pods[i].Ready = true
	}
	return m
}

func (m *model) chance(percent int) bool { return m.random == nil || m.random.IntN(100) < percent }

func (m *model) create(ordinal int32) {
	m.created++
	m.pods[ordinal] = &Pod{Name: Group{Workload: "x"}.Pod(ordinal), UID: types.UID(fmt.Sprint("uid-", m.created)), Ordinal: ordinal, Revision: m.known}
}

// apply changes the workload's template.
func (m *model) apply(revision string) {
	m.revision = revision
	m.generation++
	m.evictions, m.refusals = nil, 0
}

// step lets everything but the operator act once.
func (m *model) step() {
	if m.chance(60) {
		m.known, m.observed = m.revision, m.generation
	}
	for i := range m.replicas {
		switch pod := m.pods[i]; {
		case pod == nil:
			if m.chance(50) {
				m.create(i)
			}
		case pod.Terminating:
			if m.chance(50) {
				delete(m.pods, i)
			}
		case !pod.Ready:
			m.start(pod)
		}
	}
}

// start is a kubelet's next try.
func (m *model) start(pod *Pod) {
	switch {
	case m.starts == nil || m.starts(m, pod):
		if m.chance(40) {
			pod.Ready, pod.CrashLooping, pod.Unschedulable, pod.Problem = true, false, false, ""
		}
	case !pod.Unschedulable && m.chance(70):
		pod.Restarts++
		pod.CrashLooping, pod.Problem = true, "unknown variable"
	}
}

// trouble lets one pod die, or fall ill for a while, by itself.
func (m *model) trouble() {
	pod := m.pods[m.random.Int32N(m.replicas)]
	if pod == nil {
		return
	}
	if m.chance(50) {
		pod.Terminating = true
	} else {
		pod.Ready = false
	}
}

// look is what the operator sees.
func (m *model) look() Workload {
	w := Workload{Name: "x", Replicas: m.replicas, Generation: m.generation, ObservedGeneration: m.observed, UpdateRevision: m.known}
	for i := range m.replicas {
		if pod := m.pods[i]; pod != nil {
			w.Pods = append(w.Pods, *pod)
		}
	}
	return w
}

// evict is the Eviction API with a budget of one: a Ready pod leaves only while all others are Ready.
func (m *model) evict(t *testing.T, want *Pod) {
	t.Helper()
	pod := m.pods[want.Ordinal]
	if pod == nil || pod.UID != want.UID || pod.Terminating {
		return
	}
	if pod.Ready && !m.othersReady(want.Ordinal) {
		m.refusals++
		return
	}
	if pod.Revision == m.revision {
		t.Fatalf("%s is evicted although it is up to date", pod.Name)
	}
	for _, earlier := range m.evictions {
		if earlier.Ordinal == pod.Ordinal {
			t.Fatalf("%s is evicted a second time", pod.Name)
		}
	}
	m.evictions = append(m.evictions, *pod)
	pod.Terminating = true
}

func (m *model) othersReady(ordinal int32) bool {
	for i := range m.replicas {
		if other := m.pods[i]; i != ordinal && (other == nil || other.Terminating || !other.Ready) {
			return false
		}
	}
	return true
}

// settled tells whether every pod is Ready with the requested revision.
func (m *model) settled() bool {
	for i := range m.replicas {
		if pod := m.pods[i]; pod == nil || pod.Terminating || !pod.Ready || pod.Revision != m.revision {
			return false
		}
	}
	return true
}
