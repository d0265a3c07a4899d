package journal

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// summarise completes Ready to the kstatus trio. Everything that it looks at is in the status or comes with a write of
// it, so it never is a reason to write: Commit calls it when something else has changed.
func (d *Database) summarise() {
	conditions := d.Object.DatabaseStatus().Conditions
	if meta.FindStatusCondition(conditions, kubedbv1.ConditionStalled) == nil {
		d.notStalled()
	}
	reconciling, reason, message := d.reconciling()
	d.Set(kubedbv1.ConditionReconciling, reconciling, reason, message)
}

func (d *Database) notStalled() {
	d.Set(kubedbv1.ConditionStalled, metav1.ConditionFalse, kubedbv1.ReasonNotStalled, "nothing keeps the operator from what the spec asks for")
}

// reconciling tells whether the operator is at work on the database: while an operation runs, and until the database is
// what its spec asks for. It is not while it cannot go on or may not; pods that wait for a restart are the user's turn.
func (d *Database) reconciling() (status metav1.ConditionStatus, reason, message string) {
	s := d.Object.DatabaseStatus()
	is := func(kind string) *metav1.Condition {
		if c := meta.FindStatusCondition(s.Conditions, kind); c != nil && c.Status == metav1.ConditionTrue {
			return c
		}
		return nil
	}
	ready := meta.FindStatusCondition(s.Conditions, kubedbv1.ConditionReady)
	halting := meta.FindStatusCondition(s.Conditions, kubedbv1.ConditionHalted)
	paused, byUser := Paused(s)
	switch {
	case paused && !byUser:
		c := is(kubedbv1.ConditionPaused)
		return metav1.ConditionTrue, c.Reason, c.Message
	case paused:
		return metav1.ConditionFalse, kubedbv1.ReasonPausedByUser, "somebody paused the database"
	case is(kubedbv1.ConditionStalled) != nil:
		c := is(kubedbv1.ConditionStalled)
		return metav1.ConditionFalse, c.Reason, c.Message
	case halting != nil && halting.Status == metav1.ConditionFalse:
		return metav1.ConditionTrue, halting.Reason, halting.Message
	case s.ObservedGeneration != d.Object.GetGeneration():
		return metav1.ConditionTrue, kubedbv1.ReasonSpecNotObserved, "the operator has not carried out the present spec yet"
	case is(kubedbv1.ConditionHalted) != nil:
		c := is(kubedbv1.ConditionHalted)
		return metav1.ConditionFalse, c.Reason, c.Message
	case ready == nil:
		return metav1.ConditionTrue, kubedbv1.ReasonSpecNotObserved, "the pods have not been looked at yet"
	case ready.Status != metav1.ConditionTrue:
		return metav1.ConditionTrue, ready.Reason, ready.Message
	}
	return metav1.ConditionFalse, kubedbv1.ReasonReconciled, "the database is what its spec asks for"
}
