package journal

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
)

// Planned tells whether the request names a step of a plan. It does so only after the change was saved, for plans are made
// from that. Opening the gate is a step without a plan.
func (r *Request) Planned() bool {
	return slices.ContainsFunc(r.Object.RequestStatus().Conditions, func(c metav1.Condition) bool {
		return !summary[c.Type] && !slices.ContainsFunc(ops.NothingDone().Undo, func(s ops.Step) bool { return s.Type == c.Type })
	})
}

// Lose says that the plan cannot be told, on the step that is under way or else on the next one, and returns since when.
func (r *Request) Lose(message string) time.Time {
	c := r.underWay()
	if c == nil {
		return r.journal.Now()
	}
	if c.Status != metav1.ConditionFalse || c.Reason != opsv1.ReasonPlanLost {
		c.Status, c.Reason, c.LastTransitionTime = metav1.ConditionFalse, opsv1.ReasonPlanLost, r.journal.now()
	}
	c.Message = ops.Clip(message, longestMessage)
	return c.LastTransitionTime.Time
}

// Found takes back what Lose has said. That time does not count.
func (r *Request) Found() {
	conditions := r.Object.RequestStatus().Conditions
	for i := range conditions {
		if c := &conditions[i]; !summary[c.Type] && c.Reason == opsv1.ReasonPlanLost {
			c.Reason, c.Message, c.LastTransitionTime = opsv1.ReasonProgressing, "", r.journal.now()
		}
	}
}

// underWay is the last step that has begun and is not done, or else the first that has not begun.
func (r *Request) underWay() (found *metav1.Condition) {
	conditions := r.Object.RequestStatus().Conditions
	for i := range conditions {
		c := &conditions[i]
		switch {
		case summary[c.Type]:
		case c.Status == metav1.ConditionFalse, found == nil && c.Status == metav1.ConditionUnknown:
			found = c
		}
	}
	return found
}
