package fakekubelet

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// What a kubelet and a database say, word for word, where clients may look for it.
const (
	reasonCrashLoop    = "CrashLoopBackOff"
	messageCrashLoop   = "back-off 10s restarting failed container"
	messageRefused     = "unknown variable 'lab_refuse_to_start'"
	messageCrashFault  = "crash loop asked for by a lab fault"
	reasonCreating     = "ContainerCreating"
	reasonInitializing = "PodInitializing"
)

// waitingStatus is the status of a pod whose containers cannot be created yet.
func waitingStatus(f PodFacts) *corev1.PodStatus {
	status := f.begin(corev1.PodPending)
	for i := range f.Pod.Spec.InitContainers {
		c := &f.Pod.Spec.InitContainers[i]
		status.InitContainerStatuses = append(status.InitContainerStatuses, f.waiting(c, reasonInitializing, f.Missing))
	}
	for i := range f.Pod.Spec.Containers {
		c := &f.Pod.Spec.Containers[i]
		status.ContainerStatuses = append(status.ContainerStatuses, f.waiting(c, reasonCreating, f.Missing))
	}
	initialized := len(f.Pod.Spec.InitContainers) == 0
	f.conditions(status, initialized, names(f.Pod.Spec.Containers))
	return status
}

// runningStatus is the status of a pod all of whose containers run.
func runningStatus(f PodFacts, isReady bool) *corev1.PodStatus {
	status := f.begin(corev1.PodRunning)
	f.initCompleted(status)
	var unready []string
	for i := range f.Pod.Spec.Containers {
		c := f.running(&f.Pod.Spec.Containers[i], isReady)
		status.ContainerStatuses = append(status.ContainerStatuses, c)
		if !isReady {
			unready = append(unready, c.Name)
		}
	}
	f.addresses(status)
	f.conditions(status, true, unready)
	return status
}

// crashedStatus is the status of a pod whose database has just ended with an error.
func crashedStatus(f PodFacts) *corev1.PodStatus {
	status := f.begin(corev1.PodRunning)
	f.initCompleted(status)
	message := messageCrashFault
	if f.Memory.Verdict.Refuse {
		message = messageRefused
	}
	failed := f.failing()
	for i := range f.Pod.Spec.Containers {
		c := &f.Pod.Spec.Containers[i]
		if slices.Contains(failed, c.Name) {
			status.ContainerStatuses = append(status.ContainerStatuses, f.crashed(c, message))
		} else {
			status.ContainerStatuses = append(status.ContainerStatuses, f.running(c, true))
		}
	}
	f.addresses(status)
	f.conditions(status, true, failed)
	return status
}

// failing names the containers that the verdict concerns: those that mount the offending volume, or the
// first, which is the database by convention.
func (f PodFacts) failing() []string {
	var failed []string
	for _, c := range f.Pod.Spec.Containers {
		if slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == f.Memory.Verdict.Volume }) {
			failed = append(failed, c.Name)
		}
	}
	if len(failed) == 0 {
		failed = names(f.Pod.Spec.Containers[:1])
	}
	return failed
}

// begin copies what others own in the status and clears what a kubelet writes.
func (f PodFacts) begin(phase corev1.PodPhase) *corev1.PodStatus {
	status := f.Pod.Status.DeepCopy()
	status.Phase, status.ObservedGeneration = phase, f.Pod.Generation
	status.ContainerStatuses, status.InitContainerStatuses = nil, nil
	if status.StartTime == nil {
		status.StartTime = f.time()
	}
	status.HostIP, status.HostIPs = f.HostIP, []corev1.HostIP{{IP: f.HostIP}}
	return status
}

func (f PodFacts) addresses(status *corev1.PodStatus) {
	if status.PodIP == "" {
		status.PodIP, status.PodIPs = f.Memory.IP, []corev1.PodIP{{IP: f.Memory.IP}}
	}
}

// time is now as the API stores it, so that statuses compare.
func (f PodFacts) time() *metav1.Time {
	return ptr.To(metav1.NewTime(f.Now).Rfc3339Copy())
}

// before is the container's status so far.
func (f PodFacts) before(name string) corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{f.Pod.Status.InitContainerStatuses, f.Pod.Status.ContainerStatuses} {
		for _, c := range list {
			if c.Name == name {
				return c
			}
		}
	}
	return corev1.ContainerStatus{}
}

func (f PodFacts) waiting(c *corev1.Container, reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, Started: ptr.To(false),
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}
}

func (f PodFacts) running(c *corev1.Container, isReady bool) corev1.ContainerStatus {
	old := f.before(c.Name)
	status := corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: c.Image, Ready: isReady, Started: ptr.To(true),
		RestartCount: old.RestartCount, LastTerminationState: old.LastTerminationState,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: *f.time()}},
	}
	switch {
	case old.State.Running != nil:
		status.State = *old.State.DeepCopy()
	case old.State.Waiting != nil && old.State.Waiting.Reason == reasonCrashLoop:
		status.RestartCount++
	}
	status.ContainerID = f.containerID(status)
	return status
}

func (f PodFacts) crashed(c *corev1.Container, message string) corev1.ContainerStatus {
	old := f.before(c.Name)
	status := corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: c.Image, Started: ptr.To(false), RestartCount: old.RestartCount,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reasonCrashLoop, Message: messageCrashLoop}},
	}
	if old.State.Waiting != nil && old.State.Waiting.Reason == reasonCrashLoop {
		status.RestartCount++
	}
	status.ContainerID = f.containerID(status)
	status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
		ExitCode: 1, Reason: "Error", Message: message, StartedAt: *f.time(), FinishedAt: *f.time(), ContainerID: status.ContainerID,
	}
	return status
}

func (f PodFacts) containerID(c corev1.ContainerStatus) string {
	return fmt.Sprintf("fake://%s-%s-%d", f.Pod.UID, c.Name, c.RestartCount)
}

// initCompleted writes init containers as done, and sidecars as running.
func (f PodFacts) initCompleted(status *corev1.PodStatus) {
	for i := range f.Pod.Spec.InitContainers {
		c := &f.Pod.Spec.InitContainers[i]
		if ptr.Deref(c.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways {
			status.InitContainerStatuses = append(status.InitContainerStatuses, f.running(c, true))
			continue
		}
		done := corev1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: c.Image, Ready: true, Started: ptr.To(false)}
		done.ContainerID = f.containerID(done)
		done.State.Terminated = &corev1.ContainerStateTerminated{
			Reason: "Completed", StartedAt: *f.time(), FinishedAt: *f.time(), ContainerID: done.ContainerID,
		}
		if old := f.before(c.Name); old.State.Terminated != nil {
			done.State = *old.State.DeepCopy()
		}
		status.InitContainerStatuses = append(status.InitContainerStatuses, done)
	}
}

// conditions writes the kubelet's conditions. unready names the containers that are not ready.
func (f PodFacts) conditions(status *corev1.PodStatus, initialized bool, unready []string) {
	f.condition(status, corev1.PodScheduled, true, "", "")
	f.condition(status, corev1.PodReadyToStartContainers, status.Phase == corev1.PodRunning, "", "")
	if initialized {
		f.condition(status, corev1.PodInitialized, true, "", "")
	} else {
		f.condition(status, corev1.PodInitialized, false, "ContainersNotInitialized",
			"containers with incomplete status: ["+strings.Join(names(f.Pod.Spec.InitContainers), " ")+"]")
	}
	reason, message := "", ""
	if len(unready) > 0 {
		reason, message = "ContainersNotReady", "containers with unready status: ["+strings.Join(unready, " ")+"]"
	}
	f.condition(status, corev1.ContainersReady, len(unready) == 0, reason, message)
	f.condition(status, corev1.PodReady, len(unready) == 0, reason, message)
}

// condition sets one condition; its transition time moves only when its status does.
func (f PodFacts) condition(status *corev1.PodStatus, kind corev1.PodConditionType, holds bool, reason, message string) {
	value := corev1.ConditionFalse
	if holds {
		value = corev1.ConditionTrue
	}
	next := corev1.PodCondition{
		Type: kind, Status: value, Reason: reason, Message: message,
		LastTransitionTime: *f.time(), ObservedGeneration: f.Pod.Generation,
	}
	i := slices.IndexFunc(status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
	if i < 0 {
		status.Conditions = append(status.Conditions, next)
		return
	}
	old := status.Conditions[i]
	if old.Status == value {
		next.LastTransitionTime = old.LastTransitionTime
	}
	status.Conditions[i] = next
}

func names(containers []corev1.Container) []string {
	list := make([]string, 0, len(containers))
	for _, c := range containers {
		list = append(list, c.Name)
	}
	return list
}
