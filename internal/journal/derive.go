package journal

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// summarise derives phase, progress and the kstatus trio from the other conditions.
func (r *Request) summarise() {
	status := r.Object.RequestStatus()
	root := meta.FindStatusCondition(status.Conditions, opsv1.ConditionSuccessful)
	if root == nil {
		return
	}
	status.Phase = phase(status.Conditions)
	status.Progress = progress(status.Conditions)
	ready, reconciling, stalled := metav1.ConditionFalse, metav1.ConditionFalse, metav1.ConditionFalse
	switch status.Phase {
	case opsv1.PhaseSuccessful:
		ready = metav1.ConditionTrue
	case opsv1.PhaseFailed:
		stalled = metav1.ConditionTrue
	default:
		reconciling = metav1.ConditionTrue
	}
	// Copied, because setting a condition may move the list.
	reason, message := root.Reason, root.Message
	r.set(opsv1.ConditionReady, ready, reason, message)
	r.set(opsv1.ConditionReconciling, reconciling, reason, message)
	r.set(opsv1.ConditionStalled, stalled, reason, message)
}

func phase(conditions []metav1.Condition) opsv1.OpsPhase {
	root := meta.FindStatusCondition(conditions, opsv1.ConditionSuccessful)
	switch {
	case meta.IsStatusConditionTrue(conditions, opsv1.ConditionFailed):
		return opsv1.PhaseFailed
	case root.Status == metav1.ConditionTrue:
		return opsv1.PhaseSuccessful
	case root.Status == metav1.ConditionFalse:
		return opsv1.PhaseProgressing
	}
	return opsv1.PhasePending
}

// summary are the condition types that are not steps.
var summary = map[string]bool{
	opsv1.ConditionSuccessful: true, opsv1.ConditionFailed: true, opsv1.ConditionReady: true,
	opsv1.ConditionReconciling: true, opsv1.ConditionStalled: true,
}

// progress counts the finished steps, for example 3/5. Undo steps do not count: they lead away from the goal.
func progress(conditions []metav1.Condition) string {
	done, all := 0, 0
	for _, c := range conditions {
		if summary[c.Type] || strings.HasPrefix(c.Type, "Undo") {
			continue
		}
		all++
		if c.Status == metav1.ConditionTrue {
			done++
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", done, all)
}
