package steps

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/drydock-db/drydock/ops"
)

// claimSet is claims by name; one that does not exist is nil.
type claimSet map[string]*corev1.PersistentVolumeClaim

// viewClaims turns claims into values, in order of their names.
func viewClaims(set claimSet) []ops.Claim {
	views := make([]ops.Claim, 0, len(set))
	for _, name := range slices.Sorted(maps.Keys(set)) {
		views = append(views, viewClaim(name, set[name]))
	}
	return views
}

func viewClaim(name string, claim *corev1.PersistentVolumeClaim) ops.Claim {
	v := ops.Claim{Name: name}
	if claim == nil || claim.DeletionTimestamp != nil {
		return v
	}
	v.Exists = true
	v.Requested = *claim.Spec.Resources.Requests.Storage()
	v.Capacity = *claim.Status.Capacity.Storage()
	switch claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimControllerResizeInfeasible, corev1.PersistentVolumeClaimNodeResizeInfeasible:
		v.Infeasible = "it cannot grow to this size"
	case corev1.PersistentVolumeClaimControllerResizeInProgress, corev1.PersistentVolumeClaimNodeResizePending,
		corev1.PersistentVolumeClaimNodeResizeInProgress:
	}
	for _, c := range claim.Status.Conditions {
		switch c.Type {
		case corev1.PersistentVolumeClaimFileSystemResizePending:
			v.FileSystemPending = c.Status == corev1.ConditionTrue
		case corev1.PersistentVolumeClaimControllerResizeError, corev1.PersistentVolumeClaimNodeResizeError:
			if v.Infeasible != "" && c.Message != "" {
				v.Infeasible = c.Message
			}
		case corev1.PersistentVolumeClaimResizing, corev1.PersistentVolumeClaimVolumeModifyVolumeError,
			corev1.PersistentVolumeClaimVolumeModifyingVolume:
		}
	}
	return v
}
