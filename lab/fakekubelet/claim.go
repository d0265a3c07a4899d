package fakekubelet

import (
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/drydock-db/drydock/lab/csidriver"
)

// Provisioner serves the lab's storage classes, but for those of the CSI driver: volumes are objects only.
const Provisioner = "lab.drydock.dev/fake"

// driver is the CSI driver that their volumes name, and that nobody runs; driver names allow no slash.
const driver = "fake.lab.drydock.dev"

// annotationSelectedNode is set by the scheduler on claims of classes that wait for a consumer.
const annotationSelectedNode = "volume.kubernetes.io/selected-node"

// ClaimFacts is all that the fate of a claim depends on.
type ClaimFacts struct {
	Claim *corev1.PersistentVolumeClaim
	// Volume is the claim's volume; nil when there is none yet.
	Volume *corev1.PersistentVolume
	Class  *storagev1.StorageClass
	Now    time.Time
	Faults ClaimFaults
	Delays Delays
	Memory ClaimMemory
	// Mounts are the UIDs of the pods on a node that mount the claim and are not terminating.
	Mounts []types.UID
}

// ClaimMemory is what the storage knows about a claim and its status does not say.
type ClaimMemory struct {
	// Growing is when the growth to Target began.
	Growing time.Time
	Target  resource.Quantity
	// Pending says that the file system waits for a pod other than those in MountedBy.
	Pending   bool
	MountedBy []types.UID
}

// ClaimDecision is what to do with a claim. What is set is written in the order of the fields.
type ClaimDecision struct {
	// Create is a volume to make; the real binder binds it.
	Create *corev1.PersistentVolume
	// VolumeSize is the capacity that the volume is to have.
	VolumeSize *resource.Quantity
	// Status to write; nil leaves it.
	Status *corev1.PersistentVolumeClaimStatus
	Memory ClaimMemory
	// After asks to look again after that time; zero means not before something changes.
	After time.Duration
}

// DecideClaim says what the provisioner, the resizer and the kubelet do next with a claim. It is a pure
// function.
func DecideClaim(f ClaimFacts) ClaimDecision {
	nothing := ClaimDecision{}
	if f.Class == nil || !provisions(f.Class.Provisioner) || f.Claim.DeletionTimestamp != nil {
		return nothing
	}
	if f.Claim.Status.Phase != corev1.ClaimBound {
		return decideProvisioning(f)
	}
	want, have := f.Claim.Spec.Resources.Requests.Storage(), f.Claim.Status.Capacity.Storage()
	if f.Volume == nil || want.Cmp(*have) <= 0 {
		return nothing
	}
	if f.Claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] == corev1.PersistentVolumeClaimNodeResizePending {
		return decideFilesystem(f)
	}
	if f.resizedByDriver() {
		return nothing
	}
	return decideGrowth(f, *want)
}

// provisions tells whether volumes of that provisioner are made and deleted here.
func provisions(provisioner string) bool {
	return provisioner == Provisioner || provisioner == csidriver.Name
}

// resizedByDriver tells that the external-resizer and the CSI driver have the controller's part.
func (f ClaimFacts) resizedByDriver() bool { return f.Class.Provisioner == csidriver.Name }

// decideProvisioning is the provisioner's part.
func decideProvisioning(f ClaimFacts) ClaimDecision {
	if f.Volume == nil && f.Claim.Spec.VolumeName == "" && mayProvision(f) {
		return ClaimDecision{Create: newVolume(f.Claim, f.Class)}
	}
	return ClaimDecision{}
}

// mayProvision: a class that waits for its first consumer provisions when the scheduler has chosen.
func mayProvision(f ClaimFacts) bool {
	mode := ptr.Deref(f.Class.VolumeBindingMode, storagev1.VolumeBindingImmediate)
	return mode == storagev1.VolumeBindingImmediate || f.Claim.Annotations[annotationSelectedNode] != ""
}

// decideGrowth is the controller's part: the storage makes the volume larger.
func decideGrowth(f ClaimFacts, want resource.Quantity) ClaimDecision {
	mode := f.Faults.mode(want)
	if mode == ResizeInfeasible {
		status := f.resizing(want, corev1.PersistentVolumeClaimControllerResizeInfeasible)
		f.condition(status, corev1.PersistentVolumeClaimControllerResizeError, fmt.Sprintf(
			"failed to expand pvc with rpc error: code = InvalidArgument desc = %s", infeasible(want)))
		return f.write(status, ClaimMemory{}, 0)
	}
	if f.Memory.Growing.IsZero() || f.Memory.Target.Cmp(want) != 0 {
		f.Memory = ClaimMemory{Growing: f.Now, Target: want}
	}
	wait := f.Memory.Growing.Add(orElse(f.Faults.GrowAfter, f.Delays.Grow)).Sub(f.Now)
	inProgress := f.resizing(want, corev1.PersistentVolumeClaimControllerResizeInProgress)
	switch {
	case mode == ResizeNever:
		return f.write(inProgress, f.Memory, 0)
	case wait > 0:
		return f.write(inProgress, f.Memory, wait)
	}
	d := f.grown(want)
	if mode == ResizeFilesystemPending {
		status := f.resizing(want, corev1.PersistentVolumeClaimNodeResizePending)
		f.condition(status, corev1.PersistentVolumeClaimFileSystemResizePending,
			"Waiting for user to (re-)start a pod to finish file system resize of volume on node.")
		d = f.write(status, ClaimMemory{Pending: true, MountedBy: f.Mounts}, 0)
	}
	if f.Volume.Spec.Capacity.Storage().Cmp(want) < 0 {
		d.VolumeSize = &want
	}
	return d
}

// decideFilesystem is the node's part: a pod that mounts the volume anew grows its file system.
func decideFilesystem(f ClaimFacts) ClaimDecision {
	if !f.Memory.Pending { // this kubelet is younger than the growth
		f.Memory = ClaimMemory{Pending: true, MountedBy: f.Mounts}
	}
	anew := slices.ContainsFunc(f.Mounts, func(uid types.UID) bool { return !slices.Contains(f.Memory.MountedBy, uid) })
	unmounted := f.resizedByDriver() && len(f.Mounts) == 0
	if !anew && (unmounted || f.Faults.Resize == ResizeFilesystemPending) {
		return ClaimDecision{Memory: f.Memory}
	}
	size, known := f.Claim.Status.AllocatedResources[corev1.ResourceStorage]
	if !known {
		size = *f.Volume.Spec.Capacity.Storage()
	}
	return f.grown(size)
}

// resizing is the status of a claim on its way to a size.
func (f ClaimFacts) resizing(size resource.Quantity, how corev1.ClaimResourceStatus) *corev1.PersistentVolumeClaimStatus {
	status := f.Claim.Status.DeepCopy()
	status.AllocatedResources = maps.Clone(status.AllocatedResources)
	if status.AllocatedResources == nil {
		status.AllocatedResources = corev1.ResourceList{}
	}
	status.AllocatedResources[corev1.ResourceStorage] = size
	status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{corev1.ResourceStorage: how}
	if how == corev1.PersistentVolumeClaimControllerResizeInProgress { // a new attempt forgets the last one's error
		status.Conditions = slices.DeleteFunc(status.Conditions, func(c corev1.PersistentVolumeClaimCondition) bool {
			return c.Type == corev1.PersistentVolumeClaimControllerResizeError
		})
	}
	f.condition(status, corev1.PersistentVolumeClaimResizing, "")
	return status
}

// grown is the status of a claim that has its size. Like the real resizer it keeps allocatedResources.
func (f ClaimFacts) grown(size resource.Quantity) ClaimDecision {
	status := f.Claim.Status.DeepCopy()
	status.Capacity[corev1.ResourceStorage] = size
	status.AllocatedResourceStatuses = nil
	status.Conditions = slices.DeleteFunc(status.Conditions, func(c corev1.PersistentVolumeClaimCondition) bool {
		return slices.Contains([]corev1.PersistentVolumeClaimConditionType{
			corev1.PersistentVolumeClaimResizing, corev1.PersistentVolumeClaimFileSystemResizePending,
			corev1.PersistentVolumeClaimControllerResizeError, corev1.PersistentVolumeClaimNodeResizeError,
		}, c.Type)
	})
	return f.write(status, ClaimMemory{}, 0)
}

func (f ClaimFacts) write(status *corev1.PersistentVolumeClaimStatus, memory ClaimMemory, after time.Duration) ClaimDecision {
	if equality.Semantic.DeepEqual(status, &f.Claim.Status) {
		status = nil
	}
	return ClaimDecision{Status: status, Memory: memory, After: after}
}

// condition sets a condition to True; one that says the same already keeps its times.
func (f ClaimFacts) condition(status *corev1.PersistentVolumeClaimStatus, kind corev1.PersistentVolumeClaimConditionType, message string) {
	next := corev1.PersistentVolumeClaimCondition{
		Type: kind, Status: corev1.ConditionTrue, Message: message,
		LastTransitionTime: metav1.NewTime(f.Now).Rfc3339Copy(),
	}
	i := slices.IndexFunc(status.Conditions, func(c corev1.PersistentVolumeClaimCondition) bool { return c.Type == kind })
	switch {
	case i < 0:
		status.Conditions = append(status.Conditions, next)
	case status.Conditions[i].Status != next.Status || status.Conditions[i].Message != message:
		status.Conditions[i] = next
	}
}

// volumeName is the name that provisioners give to a claim's volume.
func volumeName(claim *corev1.PersistentVolumeClaim) string { return "pvc-" + string(claim.UID) }

// newVolume is a volume for one claim, as an external provisioner makes it.
func newVolume(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) *corev1.PersistentVolume {
	name, by := volumeName(claim), driver
	if class.Provisioner == csidriver.Name {
		by = csidriver.Name
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": class.Provisioner},
		},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: *claim.Spec.Resources.Requests.Storage()},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: ptr.Deref(class.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete),
			MountOptions:                  class.MountOptions,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				CSI: &corev1.CSIPersistentVolumeSource{Driver: by, VolumeHandle: name},
			},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
		},
	}
}
