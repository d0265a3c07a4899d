package fakekubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"
)

// Delays says how long things take when no fault says otherwise.
type Delays struct {
	Ready, Terminate, Grow time.Duration
}

// PodFacts is all that the fate of a pod depends on.
type PodFacts struct {
	Pod *corev1.Pod
	Now time.Time
	// Missing says what the pod waits for before it can start.
	Missing string
	// Config is the verdict on what is mounted now; it counts only when containers start.
	Config Verdict
	Faults PodFaults
	Delays Delays
	Memory PodMemory
	// HostIP is the address of the pod's node.
	HostIP string
}

// PodMemory is what a kubelet knows about a pod and its status does not say; API times are too coarse
// for delays of milliseconds.
type PodMemory struct {
	// IP is the pod's address. It is kept here because a cache that lags would make it change.
	IP string
	// Started is when the containers were started last.
	Started time.Time
	// Verdict is the verdict at that moment: a process does not read its configuration twice.
	Verdict Verdict
	// Restart is when a crashed container is started again.
	Restart time.Time
	// Terminating is when the deletion was first seen.
	Terminating time.Time
}

// PodDecision is what to do with a pod.
type PodDecision struct {
	// Delete it for good.
	Delete bool
	// Status to write; nil leaves it.
	Status *corev1.PodStatus
	// Memory to keep.
	Memory PodMemory
	// After asks to look again after that time; zero means not before something changes.
	After time.Duration
}

// DecidePod says what a kubelet with such a database in its pods does next. It is a pure function.
func DecidePod(f PodFacts) PodDecision {
	phase := f.Pod.Status.Phase
	switch {
	case f.Pod.DeletionTimestamp != nil:
		return decideTerminating(f)
	case phase == corev1.PodSucceeded || phase == corev1.PodFailed:
		return PodDecision{Memory: f.Memory}
	case crashing(f.Pod):
		return decideCrashed(f)
	case running(f.Pod):
		return decideRunning(f)
	case f.Missing != "":
		return write(f, waitingStatus(f), 0)
	}
	return start(f)
}

func decideTerminating(f PodFacts) PodDecision {
	if ptr.Deref(f.Pod.DeletionGracePeriodSeconds, 1) == 0 {
		return PodDecision{Memory: f.Memory} // deleted already, a finalizer holds it
	}
	if f.Memory.Terminating.IsZero() {
		f.Memory.Terminating = f.Now
	}
	left := f.Memory.Terminating.Add(orElse(f.Faults.TerminateAfter, f.Delays.Terminate)).Sub(f.Now)
	return PodDecision{Delete: left <= 0, Memory: f.Memory, After: max(left, 0)}
}

// start starts the containers with the configuration that is mounted now.
func start(f PodFacts) PodDecision {
	f.Memory.Started, f.Memory.Verdict = f.Now, f.Config
	if f.Config.Refuse || ptr.Deref(f.Faults.CrashLoop, false) {
		return crash(f)
	}
	return decideStarted(f)
}

// crash puts the containers into back-off.
func crash(f PodFacts) PodDecision {
	status := crashedStatus(f)
	wait := backoff(restarts(status))
	f.Memory.Restart = f.Now.Add(wait)
	return write(f, status, wait)
}

func decideCrashed(f PodFacts) PodDecision {
	if f.Memory.Restart.IsZero() { // this kubelet is younger than the crash
		f.Memory.Restart = f.Now.Add(backoff(restarts(&f.Pod.Status)))
	}
	if wait := f.Memory.Restart.Sub(f.Now); wait > 0 {
		return PodDecision{Memory: f.Memory, After: wait}
	}
	return start(f)
}

func decideRunning(f PodFacts) PodDecision {
	if ptr.Deref(f.Faults.CrashLoop, false) {
		return crash(f)
	}
	if f.Memory.Started.IsZero() { // this kubelet is younger than the pod
		f.Memory.Started = f.Now
		if !ready(f.Pod) {
			f.Memory.Verdict = f.Config
		}
	}
	return decideStarted(f)
}

// decideStarted tells a pod that is ready from one that is not yet, or never.
func decideStarted(f PodFacts) PodDecision {
	never := f.Memory.Verdict.NeverReady || ptr.Deref(f.Faults.NeverReady, false)
	left := max(f.Memory.Started.Add(orElse(f.Faults.ReadyAfter, f.Delays.Ready)).Sub(f.Now), 0)
	if never {
		left = 0
	}
	isReady := !never && (left == 0 || ready(f.Pod) && running(f.Pod))
	if isReady {
		left = 0
	}
	return write(f, runningStatus(f, isReady), left)
}

// write decides for a status, unless the pod has it.
func write(f PodFacts, status *corev1.PodStatus, after time.Duration) PodDecision {
	if equality.Semantic.DeepEqual(status, &f.Pod.Status) {
		status = nil
	}
	return PodDecision{Status: status, Memory: f.Memory, After: after}
}

// backoff grows like a kubelet's, in a hurry: tests wait for it.
func backoff(restarts int32) time.Duration {
	return min(time.Second<<min(restarts, 10), 5*time.Second)
}

// restarts is the highest restart count.
func restarts(status *corev1.PodStatus) int32 {
	var most int32
	for _, c := range status.ContainerStatuses {
		most = max(most, c.RestartCount)
	}
	return most
}

func running(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodRunning && !crashing(pod)
}

func crashing(pod *corev1.Pod) bool {
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Waiting != nil && c.State.Waiting.Reason == reasonCrashLoop {
			return true
		}
	}
	return false
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
