package ops

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Reasons of a step that restarts pods.
const (
	// ReasonWorkloadNotObserved means that the workload's controller has not seen its latest change, so that its update
	// revision says nothing yet.
	ReasonWorkloadNotObserved = "WorkloadNotObserved"
	// ReasonRestartingPods means that a pod leaves or that its successor is awaited: one reason for both, so that each
	// pod costs one status write.
	ReasonRestartingPods = "RestartingPods"
	// ReasonPodNotStarting means that a pod which runs what was asked for does not start.
	ReasonPodNotStarting = "PodNotStarting"
)

// startAttempts is how often a container may die in a pod that is up to date before the operation fails. A database
// that starts beside its peers may need a second try; a wrong configuration never comes up.
const startAttempts = 3

// Pod is one pod of a workload as it was seen.
type Pod struct {
	Name               string
	UID                types.UID
	Ordinal            int32
	Revision           string
	Ready, Terminating bool
	// Started is true once a container of it, other than those that only prepare, has run.
	Started bool
	// ReadySince is when its node said so; zero when it is not Ready.
	ReadySince time.Time
	// Created is when the API server made it, Leaving when it was told to go; zero if it was not.
	Created, Leaving time.Time
	// Restarts of the container that restarted most; Died is when a container of the pod last ended, zero if none has.
	Restarts int32
	Died     time.Time
	// Problem is the pod's own message if it does not run; empty while it runs or is on its way.
	Problem string
	// Lately is why a pod that runs may not be Ready; empty when nobody can tell.
	Lately string
	// CrashLooping and Unschedulable say that the Problem is worth telling: it lasts.
	CrashLooping, Unschedulable bool
}

// runs tells whether nothing keeps the pod's containers from running.
func (p *Pod) runs() bool { return !p.CrashLooping && !p.Unschedulable && p.Problem == "" }

// Workload is a StatefulSet or PetSet and its pods as they were seen.
type Workload struct {
	Name     string
	Replicas int32
	// Generation and ObservedGeneration differ while the controller has not seen the latest change.
	Generation, ObservedGeneration int64
	UpdateRevision                 string
	Pods                           []Pod
	// Tried is since when a rollout that had failed is tried again: what died before says nothing about that. Zero at the first try.
	Tried time.Time
}

// Roll is what to do about a workload now.
type Roll struct {
	Outcome Outcome
	// Evict is the pod that should leave now; nil to wait.
	Evict *Pod
	// Updated is the number of pods that are done.
	Updated int
	// Unstarted tells that a pod is there which is up to date, and none of whose containers has run yet.
	Unstarted bool
	// healthy is how many pods are Ready and stay; lastReady is when the last one that is Ready became so.
	healthy   int32
	lastReady time.Time
	// Turn is when the last pod that is done became Ready, or the last one that is up to date was made, if that is later: a node
	// whose clock is behind takes nothing of the next pod's time. Or when the last one was told to go, for nobody may have been
	// there to tell it before. Zero if there is none.
	Turn time.Time
}

// census sorts the pods of a workload by what a rollout has to do about them.
type census struct {
	done     int
	last     time.Time // see Roll.Turn
	away     *Pod      // leaving, or not there yet: its successor is on the way
	starting *Pod      // up to date but not Ready
	failing  *Pod      // up to date, and does not start
	stuck    *Pod      // out of date and does not run
	unready  *Pod      // out of date and runs, but is not Ready
	ready    *Pod      // out of date and Ready
}

// NextPod decides which pod leaves now, and if none, why.
//
// At most one pod is down because of a rollout: none leaves while another is on its way. Out-of-date pods that are not
// Ready go first, since that takes nothing more down. One that does not run at all goes even while an up-to-date pod
// starts, for that one may need it to come up: so a configuration that broke every pod is repaired. One that runs does
// not: it may be unready only because it feeds the pod that starts.
func NextPod(w Workload) Roll {
	if w.Replicas <= 0 {
		return Roll{Outcome: Outcome{Status: Done, Message: "there are no pods to restart"}}
	}
	if w.ObservedGeneration != w.Generation || w.UpdateRevision == "" {
		return Roll{Outcome: Outcome{Status: Waiting, Reason: ReasonWorkloadNotObserved,
			Message: fmt.Sprintf("waiting for the controller of %s to see its latest change", w.Name)}}
	}
	c := w.census()
	roll := Roll{Updated: c.done, Turn: c.last, Unstarted: c.starting != nil && !c.starting.Started}
	roll.healthy, roll.lastReady = w.health()
	switch {
	case c.failing != nil:
		roll.Outcome = Outcome{Status: Failed, Reason: ReasonPodNotStarting,
			Message: fmt.Sprintf("pod %s does not start%s", c.failing.Name, account(c.failing))}
	case c.away != nil:
		roll.Outcome = w.progress(c, c.away)
	case c.stuck != nil:
		roll.Outcome, roll.Evict = w.progress(c, c.stuck), c.stuck
	case c.starting != nil:
		roll.Outcome = w.progress(c, c.starting)
	case c.unready != nil:
		roll.Outcome, roll.Evict = w.progress(c, c.unready), c.unready
	case c.ready != nil:
		roll.Outcome, roll.Evict = w.progress(c, c.ready), c.ready
	default:
		roll.Outcome = Outcome{Status: Done, Message: fmt.Sprintf("restarted %d of %d pods", c.done, w.Replicas)}
	}
	return roll
}

// health counts the pods that are Ready and stay, and tells when the last one that is Ready became so.
func (w Workload) health() (n int32, last time.Time) {
	for _, p := range w.Pods {
		if p.Ready && !p.Terminating {
			n++
		}
		if p.Ready && p.ReadySince.After(last) {
			last = p.ReadySince
		}
	}
	return n, last
}

// census looks at every ordinal from the lowest to the highest, so that of several pods alike the highest is kept.
func (w Workload) census() census {
	byOrdinal := make(map[int32]*Pod, len(w.Pods))
	for i := range w.Pods {
		byOrdinal[w.Pods[i].Ordinal] = &w.Pods[i]
	}
	var c census
	for ordinal := range w.Replicas {
		pod := byOrdinal[ordinal]
		if pod == nil {
			pod = &Pod{Name: fmt.Sprintf("%s-%d", w.Name, ordinal), Ordinal: ordinal, Terminating: true}
		}
		seen := *pod
		c.add(&seen, w.UpdateRevision, w.Tried)
	}
	return c
}

func (c *census) add(pod *Pod, revision string, tried time.Time) {
	current := pod.Revision == revision
	c.note(pod, current)
	switch {
	case pod.Terminating:
		c.away = pod
	case current && pod.Ready:
		c.done++
	case current && pod.fails(tried):
		c.failing = pod
	case current:
		c.starting = pod
	case pod.Ready:
		c.ready = pod
	case !pod.runs():
		c.stuck = pod
	default:
		c.unready = pod
	}
}

// fails tells whether a pod keeps dying. What it did before its rollout was tried again does not count.
func (p *Pod) fails(tried time.Time) bool {
	return p.CrashLooping && p.Restarts >= startAttempts && (tried.IsZero() || p.Died.After(tried))
}

// note keeps when the latest thing happened to a pod that is up to date, or any was told to go.
func (c *census) note(pod *Pod, current bool) {
	latest := pod.Leaving
	if current && pod.Created.After(latest) {
		latest = pod.Created
	}
	if current && pod.Ready && !pod.Terminating && pod.ReadySince.After(latest) {
		latest = pod.ReadySince
	}
	if latest.After(c.last) {
		c.last = latest
	}
}

// progress is the same text while a pod leaves and while its successor starts, unless the pod is in trouble that lasts.
func (w Workload) progress(c census, pod *Pod) Outcome {
	message := fmt.Sprintf("restarting %s, %d of %d done", pod.Name, c.done, w.Replicas)
	o := Outcome{Status: Waiting, Reason: ReasonRestartingPods, Message: message}
	if pod == c.starting && (pod.CrashLooping || pod.Unschedulable) {
		o.Message += account(pod)
	} else {
		o.Account = account(pod)
	}
	return o
}

// account is what the pod says of itself, after a colon.
func account(pod *Pod) string {
	if said := strings.TrimSpace(cmp.Or(pod.Problem, pod.Lately)); said != "" {
		return ": " + said
	}
	return ""
}
