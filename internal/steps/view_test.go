package steps

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// A pod's own message is told: what the kubelet says of a container, how it ended, or why the pod is not Ready.
func TestWhatAPodSays(t *testing.T) {
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Message: "unknown variable"}}
	waiting := func(reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	unready := []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, Message: "containers with unready status: [db]"}}
	for name, c := range map[string]struct {
		status          corev1.PodStatus
		problem, lately string
	}{
		"on its way": {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "db", State: waiting("ContainerCreating", "")}}}, "", ""},
		"no image": {
			corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "db", State: waiting("ErrImagePull", "no such tag")}}},
			"container db is in ErrImagePull: no such tag", "",
		},
		"waits after a crash": {
			corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "db", State: waiting("CrashLoopBackOff", "back-off 10s"), LastTerminationState: ended}}},
			"container db is in CrashLoopBackOff: it ended with exit code 1: unknown variable", "",
		},
		"runs between two crashes": {
			corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "db", LastTerminationState: ended}}, Conditions: unready},
			"", "container db runs again; it ended with exit code 1: unknown variable",
		},
		"runs and is not Ready":             {corev1.PodStatus{Conditions: unready}, "", "containers with unready status: [db]"},
		"is Ready, and crashed once before": {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "db", Ready: true, LastTerminationState: ended}}}, "", ""},
	} {
		got := viewPod(&corev1.Pod{Status: c.status})
		if got.Problem != c.problem || got.Lately != c.lately {
			t.Errorf("%s: problem %q, lately %q", name, got.Problem, got.Lately)
		}
	}
}

func TestWorkloadOf(t *testing.T) {
	for name, want := range map[string]string{
		"px-0": "px", "px-12": "px", "data-px-2": "data-px", "a-1-3": "a-1",
		"px-01": "", "px-+1": "", "px--1": "px-", "px-backup": "", "px": "", "-1": "", "px-": "", "px-99999999999": "",
	} {
		if got := WorkloadOf(name); got != want {
			t.Errorf("WorkloadOf(%q) is %q, want %q", name, got, want)
		}
	}
}
