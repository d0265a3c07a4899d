package fakekubelet

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// aPod has a database that mounts the volume "conf", and a sidecar that does not.
func aPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "db-0", Namespace: "demo", UID: "u1", Generation: 1},
		Spec: corev1.PodSpec{
			NodeName:       "lab-node-0",
			InitContainers: []corev1.Container{{Name: "init"}},
			Containers: []corev1.Container{
				{Name: "side"},
				{Name: "db", VolumeMounts: []corev1.VolumeMount{{Name: "conf"}}},
			},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
}

// after decides at a time and returns the pod as the API would have it then.
func after(t *testing.T, f *PodFacts, at time.Duration) PodDecision {
	t.Helper()
	f.Now = noon.Add(at)
	d := DecidePod(*f)
	f.Memory = d.Memory
	if d.Status != nil {
		f.Pod = f.Pod.DeepCopy()
		f.Pod.Status = *d.Status
	}
	return d
}

func facts() *PodFacts {
	return &PodFacts{
		Pod: aPod(), HostIP: "10.0.0.1", Memory: PodMemory{IP: "10.64.0.1"},
		Delays: Delays{Ready: 50 * time.Millisecond, Terminate: 50 * time.Millisecond},
	}
}

func container(t *testing.T, pod *corev1.Pod, name string) corev1.ContainerStatus {
	t.Helper()
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no status of container %s", name)
	return corev1.ContainerStatus{}
}

func TestPodWaitsStartsAndBecomesReady(t *testing.T) {
	f := facts()
	f.Missing = `secret "conf" not found`
	after(t, f, 0)
	if f.Pod.Status.Phase != corev1.PodPending || container(t, f.Pod, "db").State.Waiting.Reason != reasonCreating {
		t.Fatalf("with a missing Secret the status is %+v", f.Pod.Status)
	}
	if d := after(t, f, time.Second); d.Status != nil {
		t.Error("the same status is written twice")
	}
	f.Missing = ""
	d := after(t, f, 2*time.Second)
	if f.Pod.Status.Phase != corev1.PodRunning || ready(f.Pod) || d.After != 50*time.Millisecond {
		t.Fatalf("just started: phase %s, ready %t, look again after %s", f.Pod.Status.Phase, ready(f.Pod), d.After)
	}
	started := container(t, f.Pod, "db").State.Running.StartedAt
	if d := after(t, f, 3*time.Second); !ready(f.Pod) || d.After != 0 {
		t.Fatalf("after the delay: ready %t, look again after %s", ready(f.Pod), d.After)
	}
	if now := container(t, f.Pod, "db").State.Running.StartedAt; now != started {
		t.Errorf("startedAt moved from %s to %s", started, now)
	}
	if d := after(t, f, time.Minute); d.Status != nil {
		t.Error("a ready pod is written again")
	}
}

func TestPodWithRefusedConfigurationCrashesUntilItIsRight(t *testing.T) {
	f := facts()
	f.Config = Verdict{Refuse: true, Volume: "conf"}
	d := after(t, f, 0)
	db := container(t, f.Pod, "db")
	if db.State.Waiting == nil || db.State.Waiting.Reason != reasonCrashLoop || db.LastTerminationState.Terminated.Message != messageRefused {
		t.Fatalf("refused configuration: %+v", db)
	}
	if container(t, f.Pod, "side").State.Running == nil {
		t.Error("a container that does not mount the file failed too")
	}
	if ready(f.Pod) || d.After != time.Second {
		t.Errorf("ready %t, restart after %s", ready(f.Pod), d.After)
	}
	if d := after(t, f, 500*time.Millisecond); d.Status != nil {
		t.Error("restarted before its time")
	}
}

func TestCrashedPodReadsItsConfigurationAgain(t *testing.T) {
	f := facts()
	f.Config = Verdict{Refuse: true, Volume: "conf"}
	after(t, f, 0)
	after(t, f, time.Second)
	if n := container(t, f.Pod, "db").RestartCount; n != 1 {
		t.Errorf("restart count %d, want 1", n)
	}
	f.Config = Verdict{}
	after(t, f, 10*time.Second)
	after(t, f, 11*time.Second)
	if db := container(t, f.Pod, "db"); !ready(f.Pod) || db.RestartCount != 2 || db.State.Running == nil {
		t.Errorf("with a right configuration: ready %t, %+v", ready(f.Pod), db)
	}
}

func TestPodReadsItsConfigurationOnce(t *testing.T) {
	f := facts()
	after(t, f, 0)
	after(t, f, time.Second)
	f.Config = Verdict{Refuse: true, NeverReady: true}
	if d := after(t, f, 2*time.Second); d.Status != nil || !ready(f.Pod) {
		t.Error("a running database noticed a change of its configuration")
	}
}

func TestPodFaultsComeAndGo(t *testing.T) {
	f := facts()
	after(t, f, 0)
	after(t, f, time.Second)
	f.Faults.NeverReady = ptr.To(true)
	after(t, f, 2*time.Second)
	if ready(f.Pod) {
		t.Error("neverReady leaves a ready pod ready")
	}
	f.Faults.NeverReady = nil
	after(t, f, 3*time.Second)
	if !ready(f.Pod) {
		t.Error("not ready after neverReady is gone")
	}
	f.Faults.CrashLoop = ptr.To(true)
	after(t, f, 4*time.Second)
	if !crashing(f.Pod) || ready(f.Pod) {
		t.Error("crashLoop leaves a running pod running")
	}
	f.Faults.CrashLoop = nil
	after(t, f, 10*time.Second)
	after(t, f, 11*time.Second)
	if !ready(f.Pod) {
		t.Error("not ready after crashLoop is gone")
	}
	f.Faults.ReadyAfter = &metav1.Duration{Duration: time.Hour}
	if after(t, f, 12*time.Second); !ready(f.Pod) {
		t.Error("readyAfter made a ready pod unready")
	}
}

func TestPodTerminates(t *testing.T) {
	f := facts()
	f.Pod.DeletionTimestamp, f.Pod.DeletionGracePeriodSeconds = &metav1.Time{Time: noon}, ptr.To[int64](30)
	if d := after(t, f, 0); d.Delete || d.After != 50*time.Millisecond {
		t.Errorf("at once: delete %t, look again after %s", d.Delete, d.After)
	}
	f.Faults.TerminateAfter = &metav1.Duration{Duration: time.Minute}
	if d := after(t, f, time.Second); d.Delete {
		t.Error("deleted before terminateAfter")
	}
	if d := after(t, f, time.Minute); !d.Delete {
		t.Error("not deleted after terminateAfter")
	}
	f.Pod.DeletionGracePeriodSeconds = ptr.To[int64](0)
	if d := after(t, f, 2*time.Minute); d.Delete || d.After != 0 {
		t.Error("a deleted pod with a finalizer is deleted again")
	}
}

func TestYoungKubeletTakesPodsOver(t *testing.T) {
	f := facts()
	after(t, f, 0)
	after(t, f, time.Second)
	f.Memory = PodMemory{}
	f.Config = Verdict{NeverReady: true}
	if d := after(t, f, time.Minute); d.Status != nil {
		t.Error("a restart of the kubelet changed a ready pod")
	}
}
