package fakekubelet

import (
	"math"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/drydock-db/drydock/lab/csidriver"
)

func storage(size string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
}

// claimFactsFor is a bound claim of 1Gi that asks for more.
func claimFactsFor(request string) *ClaimFacts {
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "lab"}, Provisioner: Provisioner}
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data-db-0", Namespace: "demo", UID: "c1"},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: ptr.To("lab"), Resources: corev1.VolumeResourceRequirements{Requests: storage(request)},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound, Capacity: storage("1Gi")},
	}
	volume := newVolume(claim, class)
	volume.Spec.Capacity = storage("1Gi")
	claim.Spec.VolumeName = volume.Name
	return &ClaimFacts{
		Claim: claim, Volume: volume, Class: class, Delays: Delays{Grow: 50 * time.Millisecond}, Mounts: []types.UID{"p1"},
	}
}

func claimAfter(f *ClaimFacts, at time.Duration) ClaimDecision {
	f.Now = noon.Add(at)
	d := DecideClaim(*f)
	f.Memory = d.Memory
	f.Claim, f.Volume = f.Claim.DeepCopy(), f.Volume.DeepCopy()
	if d.Status != nil {
		f.Claim.Status = *d.Status
	}
	if d.VolumeSize != nil {
		f.Volume.Spec.Capacity[corev1.ResourceStorage] = *d.VolumeSize
	}
	return d
}

func capacity(f *ClaimFacts) string { return f.Claim.Status.Capacity.Storage().String() }

func how(f *ClaimFacts) corev1.ClaimResourceStatus {
	return f.Claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage]
}

func TestClaimIsProvisioned(t *testing.T) {
	f := claimFactsFor("1Gi")
	f.Claim.Status, f.Claim.Spec.VolumeName, f.Volume = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}, "", nil
	d := DecideClaim(*f)
	if d.Create == nil || d.Create.Spec.ClaimRef.UID != f.Claim.UID {
		t.Fatalf("pending claim: %+v", d)
	}
	f.Volume = d.Create
	if d := DecideClaim(*f); d.Create != nil {
		t.Error("a second volume is made")
	}
	f.Volume, f.Class.VolumeBindingMode = nil, ptr.To(storagev1.VolumeBindingWaitForFirstConsumer)
	if d := DecideClaim(*f); d.Create != nil {
		t.Error("provisioned before the scheduler chose a node")
	}
	f.Class.Provisioner = "other"
	if d := DecideClaim(*f); d.Create != nil {
		t.Error("provisioned for another provisioner's class")
	}
}

func TestClaimGrows(t *testing.T) {
	f := claimFactsFor("2Gi")
	if d := claimAfter(f, 0); d.After != 50*time.Millisecond || how(f) != corev1.PersistentVolumeClaimControllerResizeInProgress {
		t.Fatalf("at once: look again after %s, %s", d.After, how(f))
	}
	if claimAfter(f, time.Second); capacity(f) != "2Gi" || how(f) != "" || len(f.Claim.Status.Conditions) != 0 {
		t.Errorf("after the delay: %+v", f.Claim.Status)
	}
	if f.Volume.Spec.Capacity.Storage().String() != "2Gi" {
		t.Error("the volume did not grow")
	}
	if d := claimAfter(f, time.Minute); d.Status != nil || d.VolumeSize != nil {
		t.Error("a grown claim is written again")
	}
}

func TestClaimInfeasibleUntilSmaller(t *testing.T) {
	f := claimFactsFor("9Gi")
	f.Faults = ClaimFaults{Resize: ResizeInfeasible, Above: ptr.To(resource.MustParse("4Gi"))}
	claimAfter(f, 0)
	if how(f) != corev1.PersistentVolumeClaimControllerResizeInfeasible || capacity(f) != "1Gi" {
		t.Fatalf("infeasible: %+v", f.Claim.Status)
	}
	if d := claimAfter(f, time.Second); d.Status != nil {
		t.Error("the same status is written twice")
	}
	f.Claim.Spec.Resources.Requests = storage("3Gi")
	claimAfter(f, 2*time.Second)
	if claimAfter(f, 3*time.Second); capacity(f) != "3Gi" || len(f.Claim.Status.Conditions) != 0 {
		t.Errorf("smaller retry: %+v", f.Claim.Status)
	}
}

func TestClaimNeverGrows(t *testing.T) {
	f := claimFactsFor("2Gi")
	f.Faults.Resize = ResizeNever
	claimAfter(f, 0)
	if d := claimAfter(f, time.Hour); capacity(f) != "1Gi" || d.After != 0 {
		t.Errorf("never: %+v", f.Claim.Status)
	}
	f.Faults.Resize = ""
	if claimAfter(f, 2*time.Hour); capacity(f) != "2Gi" {
		t.Error("does not grow after the fault is gone")
	}
}

func TestClaimFilesystemWaitsForANewPod(t *testing.T) {
	f := claimFactsFor("2Gi")
	f.Faults.Resize = ResizeFilesystemPending
	claimAfter(f, 0)
	claimAfter(f, time.Second)
	if how(f) != corev1.PersistentVolumeClaimNodeResizePending || capacity(f) != "1Gi" {
		t.Fatalf("pending: %+v", f.Claim.Status)
	}
	f.Memory = ClaimMemory{} // a restart of the kubelet in between
	f.Mounts = nil
	f.Memory.Pending, f.Memory.MountedBy = true, []types.UID{"p1"}
	if claimAfter(f, time.Minute); capacity(f) != "1Gi" {
		t.Error("grew without a pod")
	}
	f.Mounts = []types.UID{"p2"}
	if claimAfter(f, 2*time.Minute); capacity(f) != "2Gi" || how(f) != "" {
		t.Errorf("with a new pod: %+v", f.Claim.Status)
	}
}

func TestClaimOfTheDriverGrowsItsFileSystemOnly(t *testing.T) {
	f := claimFactsFor("2Gi")
	f.Class.Provisioner = csidriver.Name
	if d := claimAfter(f, time.Hour); d.Status != nil || d.VolumeSize != nil {
		t.Fatalf("the resizer's part is done here: %+v", d)
	}
	f.Claim.Status.AllocatedResources = storage("2Gi")
	f.Claim.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{
		corev1.ResourceStorage: corev1.PersistentVolumeClaimNodeResizePending,
	}
	f.Mounts = nil
	if claimAfter(f, 0); capacity(f) != "1Gi" {
		t.Errorf("capacity %s without a pod that mounts the volume", capacity(f))
	}
	f.Mounts = []types.UID{"p2"}
	if claimAfter(f, 0); capacity(f) != "2Gi" || how(f) != "" {
		t.Errorf("capacity %s, status %q once a pod mounts the volume", capacity(f), how(f))
	}
	if v := newVolume(f.Claim, f.Class); v.Spec.CSI.Driver != csidriver.Name {
		t.Errorf("the volume names driver %s", v.Spec.CSI.Driver)
	}
}

func TestCallsToTheDriver(t *testing.T) {
	d := Delays{Grow: 50 * time.Millisecond}
	limit := resource.MustParse("5Gi")
	for name, c := range map[string]struct {
		faults ClaimFaults
		size   string
		n      int
		code   codes.Code
		after  time.Duration
	}{
		"well":                     {size: "2Gi", n: 1, after: d.Grow},
		"slow":                     {faults: ClaimFaults{GrowAfter: &metav1.Duration{Duration: time.Second}}, size: "2Gi", n: 1, after: time.Second},
		"infeasible":               {faults: ClaimFaults{Resize: ResizeInfeasible}, size: "2Gi", n: 1, code: codes.InvalidArgument, after: d.Grow},
		"infeasible above":         {faults: ClaimFaults{Resize: ResizeInfeasible, Above: &limit}, size: "6Gi", n: 1, code: codes.OutOfRange, after: d.Grow},
		"feasible up to":           {faults: ClaimFaults{Resize: ResizeInfeasible, Above: &limit}, size: "5Gi", n: 1, after: d.Grow},
		"never":                    {faults: ClaimFaults{Resize: ResizeNever}, size: "2Gi", n: 1, after: math.MaxInt64},
		"the last of two failures": {faults: ClaimFaults{Resize: ResizeTransient, Failures: 2}, size: "2Gi", n: 2, code: codes.Internal, after: d.Grow},
		"after two failures":       {faults: ClaimFaults{Resize: ResizeTransient, Failures: 2}, size: "2Gi", n: 3, after: d.Grow},
		"after one failure":        {faults: ClaimFaults{Resize: ResizeTransient}, size: "2Gi", n: 2, after: d.Grow},
	} {
		t.Run(name, func(t *testing.T) {
			got := decideCall(c.faults, d, resource.MustParse(c.size), c.n)
			if got.Code != c.code || got.After != c.after || (got.Message == "") != (c.code == codes.OK) {
				t.Errorf("got %+v", got)
			}
		})
	}
}
