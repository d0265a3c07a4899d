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
	conditions := d.Object.DatabaseStatus().Conditions
	paused, byUser := Paused(d.Object.DatabaseStatus())
	switch {
	case paused && !byUser:
		c := meta.FindStatusCondition(conditions, kubedbv1.ConditionPaused)
		return metav1.ConditionTrue, c.Reason, c.Message
	case paused:
		return metav1.ConditionFalse, kubedbv1.ReasonPausedByUser, "somebody paused the database"
	case meta.IsStatusConditionTrue(conditions, kubedbv1.ConditionStalled):
		c := meta.FindStatusCondition(conditions, kubedbv1.ConditionStalled)
		return metav1.ConditionFalse, c.Reason, c.Message
	}
	return d.onItsWay()
}

// onItsWay tells whether the database is on its way to what its spec asks for, which nothing hinders.
func (d *Database) onItsWay() (status metav1.ConditionStatus, reason, message string) {
	s := d.Object.DatabaseStatus()
	ready := meta.FindStatusCondition(s.Conditions, kubedbv1.ConditionReady)
	halted := meta.FindStatusCondition(s.Conditions, kubedbv1.ConditionHalted)
	switch {
	case halted != nil && halted.Status == metav1.ConditionFalse:
		return metav1.ConditionTrue, halted.Reason, halted.Message
	case s.ObservedGeneration != d.Object.GetGeneration():
		return metav1.ConditionTrue, kubedbv1.ReasonSpecNotObserved, "the operator has not carried out the present spec yet"
	case halted != nil:
		return metav1.ConditionFalse, halted.Reason, halted.Message
	case ready == nil:
		return metav1.ConditionTrue, kubedbv1.ReasonSpecNotObserved, "the pods have not been looked at yet"
	case ready.Status != metav1.ConditionTrue:
		return metav1.ConditionTrue, ready.Reason, ready.Message
	}
	return metav1.ConditionFalse, kubedbv1.ReasonReconciled, "the database is what its spec asks for"
}
