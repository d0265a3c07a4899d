package steps

import (
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/drydock-db/drydock/ops"
)

// claimSet is claims by name; one that does not exist is nil.
type claimSet map[string]*corev1.PersistentVolumeClaim

// viewClaims turns claims into values, in order of their names, as an operation that began at that time sees them.
func viewClaims(set claimSet, since, now time.Time) []ops.Claim {
	views := make([]ops.Claim, 0, len(set))
	for _, name := range slices.Sorted(maps.Keys(set)) {
		views = append(views, viewClaim(name, set[name], since, now))
	}
	return views
}

// unusable names a claim that does not exist, is being deleted, has lost its volume, or is not the database's; empty when there is
// none.
func unusable(set claimSet) string {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if claim := set[name]; claim == nil || going(claim) {
			return name
		}
	}
	return ""
}

// going tells whether a pod that mounts the claim would not find its data again: a claim that is being deleted waits for its last
// pod only, and one that has lost its volume is never mounted again.
func going(claim *corev1.PersistentVolumeClaim) bool {
	return claim.DeletionTimestamp != nil || claim.Status.Phase == corev1.ClaimLost
}

// nodeAnswers is how long a node that has refused a size before may take to try it again. Unlike the storage's controller it leaves
// the time of its refusal as it was when it refuses once more.
const nodeAnswers = 30 * time.Second

func viewClaim(name string, claim *corev1.PersistentVolumeClaim, since, now time.Time) ops.Claim {
	v := ops.Claim{Name: name}
	if claim == nil || claim.DeletionTimestamp != nil {
		return v
	}
	v.Exists, v.Unbound = true, claim.Status.Phase == corev1.ClaimPending
	v.Requested = *claim.Spec.Resources.Requests.Storage()
	v.Capacity = *claim.Status.Capacity.Storage()
	v.Infeasible, v.Trouble = verdict(claim, since, now)
	for _, c := range claim.Status.Conditions {
		if c.Type == corev1.PersistentVolumeClaimFileSystemResizePending {
			v.FileSystemPending = c.Status == corev1.ConditionTrue
		}
	}
	return v
}

// verdict is what the storage says of the claim since then: that it can never grow so far, or what has gone wrong.
func verdict(claim *corev1.PersistentVolumeClaim, since, now time.Time) (infeasible, trouble string) {
	complaint := complaintOf(claim)
	switch {
	case refused(claim) && complaint == nil:
		return "it cannot grow to this size", ""
	case refused(claim) && (!complaint.LastTransitionTime.Time.Before(since) || byNode(claim) && now.Sub(since) >= nodeAnswers):
		return complaint.Message, ""
	case refused(claim):
		return "", "refused before this operation, and the storage has not tried again: " + complaint.Message
	case complaint != nil:
		return "", complaint.Message
	}
	return "", ""
}

// refused tells whether the storage said that the claim can never have the size that it asks for. What it said of another
// size, which the claim asked for before, does not count.
func refused(claim *corev1.PersistentVolumeClaim) bool {
	how := claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage]
	if how != corev1.PersistentVolumeClaimControllerResizeInfeasible && how != corev1.PersistentVolumeClaimNodeResizeInfeasible {
		return false
	}
	tried, known := claim.Status.AllocatedResources[corev1.ResourceStorage]
	return !known || tried.Cmp(*claim.Spec.Resources.Requests.Storage()) == 0
}

// refusedByNode tells whether a pod's node has refused one of the claims.
func (s claimSet) refusedByNode() bool {
	for _, claim := range s {
		if claim != nil && refused(claim) && byNode(claim) {
			return true
		}
	}
	return false
}

// byNode tells whether it was the pod's node that said so.
func byNode(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] == corev1.PersistentVolumeClaimNodeResizeInfeasible
}

// complaintOf is the condition in which the storage says why the claim does not grow; nil when it says nothing.
func complaintOf(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaimCondition {
	for i := range claim.Status.Conditions {
		c := &claim.Status.Conditions[i]
		failed := c.Type == corev1.PersistentVolumeClaimControllerResizeError || c.Type == corev1.PersistentVolumeClaimNodeResizeError
		if failed && c.Status == corev1.ConditionTrue && c.Message != "" {
			return c
		}
	}
	return nil
}

// SameClaims tells whether two workloads ask for claims of the same size.
func SameClaims(a, b *appsv1.StatefulSet) bool {
	if len(a.Spec.VolumeClaimTemplates) != len(b.Spec.VolumeClaimTemplates) {
		return false
	}
	for i := range a.Spec.VolumeClaimTemplates {
		x, y := a.Spec.VolumeClaimTemplates[i], b.Spec.VolumeClaimTemplates[i]
		if x.Name != y.Name || x.Spec.Resources.Requests.Storage().Cmp(*y.Spec.Resources.Requests.Storage()) != 0 {
			return false
		}
	}
	return true
}
