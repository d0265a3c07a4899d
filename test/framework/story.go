package framework

import (
	"cmp"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Story is what happened, in the order in which the API server wrote it.
type Story struct {
	Events []Event
	// ByHand are the objects that the spec itself deleted.
	ByHand map[types.UID]bool
}

// Story returns everything up to now, or up to Seal.
func (r *Recorder) Story() Story {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Story{Events: slices.Clone(r.events), ByHand: maps.Clone(r.byHand)}
	slices.SortStableFunc(s.Events, func(a, b Event) int { return cmp.Compare(a.Version, b.Version) })
	return s
}

// Takedown is the end of one pod.
type Takedown struct {
	Pod string
	UID types.UID
	// Version is when it was told to leave, Back when a pod of its name was Ready again (0: not yet).
	Version, Back uint64
	Seen          time.Time
	// WasReady tells whether it was Ready until then.
	WasReady bool
	// Evicted tells whether it left by the Eviction API, ByHand whether the spec deleted it.
	Evicted, ByHand bool
}

// Takedowns lists the pods that were told to leave, in order.
func (s Story) Takedowns() []Takedown {
	pods := map[types.UID]*corev1.Pod{}
	index := map[types.UID]int{}
	var all []Takedown
	for _, e := range s.Events {
		pod, ok := e.Object.(*corev1.Pod)
		if !ok {
			continue
		}
		before := pods[pod.UID]
		pods[pod.UID] = pod
		i, leaving := index[pod.UID]
		switch {
		case leaving:
			all[i].Evicted = all[i].Evicted || evicted(pod)
		case e.leaves():
			index[pod.UID] = len(all)
			all = append(all, Takedown{
				Pod: pod.Name, UID: pod.UID, Version: e.Version, Seen: e.Seen, ByHand: s.ByHand[pod.UID],
				WasReady: before != nil && Ready(before), Evicted: evicted(pod),
			})
		case Ready(pod):
			back(all, pod.Name, e.Version)
		}
	}
	return all
}

// back notes that a pod of that name is Ready.
func back(all []Takedown, pod string, version uint64) {
	for i := range all {
		if all[i].Pod == pod && all[i].Back == 0 {
			all[i].Back = version
		}
	}
}

// leaves tells whether the object is gone or has been told to go.
func (e Event) leaves() bool {
	return e.Type == watch.Deleted || e.Object.GetDeletionTimestamp() != nil
}

// evicted tells whether the Eviction API removes the pod: it says so in a condition before it deletes.
func evicted(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue && c.Reason == "EvictionByEvictionAPI" {
			return true
		}
	}
	return false
}

// Ready tells whether the pod's Ready condition is True and nobody has told it to go.
func Ready(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil {
		return false
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Restarted are the names of the pods that were taken down after that version, in order, those taken by hand left out.
func (s Story) Restarted(after uint64) []string {
	names := []string{}
	for _, t := range s.Takedowns() {
		if t.Version > after && !t.ByHand {
			names = append(names, t.Pod)
		}
	}
	return names
}

// Version is the version of the last event.
func (s Story) Version() uint64 {
	if len(s.Events) == 0 {
		return 0
	}
	return s.Events[len(s.Events)-1].Version
}

// First returns the version of the first event for which match is true, and 0 if there is none.
func (s Story) First(match func(Event) bool) uint64 {
	for _, e := range s.Events {
		if match(e) {
			return e.Version
		}
	}
	return 0
}
