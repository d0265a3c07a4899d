package ops

import opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"

// Restarts tells whether a request restarts the pods of a group, and whether the pod template needs the request's
// stamp for that. changed is true when the group's rendered configuration is not the one that its pods run.
func Restarts(r Request, group string, changed bool) (roll, stamp bool) {
	switch r.Type {
	case opsv1.Restart:
		return true, true
	case opsv1.Reconfigure:
		change, named := r.Configuration[group]
		switch {
		case !named, change.Restart == opsv1.RestartFalse:
			return false, false
		case change.Restart == opsv1.RestartTrue:
			return true, true
		}
		return changed, false
	case opsv1.ReconfigureTLS:
		// What it mounts is not known before it is issued; pods that mount it already stay.
		return true, false
	case opsv1.VolumeExpansion, opsv1.UpdateVersion, opsv1.HorizontalScaling,
		opsv1.VerticalScaling, opsv1.RotateAuth, opsv1.StorageMigration:
	}
	return false, false
}

// NothingDone is the plan of an operation that was stopped before it had saved what it meant to do: the gate opens.
func NothingDone() Plan { return Plan{Undo: undoResume(nil)} }
