package journal

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/ops"
)

// Database is one pass's view of a database's status. Changes gather in the object until Commit.
type Database struct {
	journal *Journal
	// Object is the database; its status is changed in place.
	Object engines.Database
	base   engines.Database
}

// OpenDatabase begins a pass. The object must be the caller's own copy.
func (j *Journal) OpenDatabase(db engines.Database) *Database {
	return &Database{journal: j, Object: db, base: db.DeepCopyObject().(engines.Database)}
}

// Set records a condition. The transition time moves only when the status does.
func (d *Database) Set(kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&d.Object.DatabaseStatus().Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: ops.Clip(message, longestMessage),
		ObservedGeneration: d.Object.GetGeneration(), LastTransitionTime: d.journal.now(),
	})
}

// Remove drops a condition. Stalled stays and becomes False, so that tools can wait for that too.
func (d *Database) Remove(kind string) {
	conditions := &d.Object.DatabaseStatus().Conditions
	switch {
	case kind != kubedbv1.ConditionStalled:
		meta.RemoveStatusCondition(conditions, kind)
	case meta.FindStatusCondition(*conditions, kind) != nil:
		d.notStalled()
	}
}

// Pause closes the gate for that request.
func (d *Database) Pause(r ops.Request) {
	d.Set(kubedbv1.ConditionPaused, metav1.ConditionTrue, kubedbv1.ReasonOperationInProgress, HeldBy(r))
}

// Resume opens the gate, if that request closed it, and notes how the operation ended.
func (d *Database) Resume(r ops.Request, outcome kubedbv1.OperationOutcome, reason, message string) {
	status := d.Object.DatabaseStatus()
	if Holds(status, r) {
		d.Remove(kubedbv1.ConditionPaused)
	}
	if outcome == kubedbv1.OutcomeSuccessful {
		d.Remove(kubedbv1.ConditionDegraded)
	}
	if status.LastOperation != nil && status.LastOperation.UID == r.UID {
		return
	}
	status.LastOperation = &kubedbv1.LastOperation{
		Kind: r.Kind, Name: r.Name, UID: r.UID, Type: string(r.Type),
		Outcome: outcome, Reason: reason, Message: ops.Clip(message, longestMessage), FinishedAt: d.journal.now(),
	}
}

// Commit writes what changed, in one patch.
func (d *Database) Commit(ctx context.Context) error {
	before, after := d.base.DatabaseStatus(), d.Object.DatabaseStatus()
	after.Phase = ops.DatabasePhase(after.Conditions)
	if !sameStatus(before, after) {
		d.summarise()
	}
	if err := d.journal.patchStatus(ctx, d.Object, d.base, sameStatus(before, after)); err != nil {
		return err
	}
	logTransitions(logger(ctx), before.Conditions, after.Conditions)
	if before.Phase != after.Phase {
		logger(ctx).Info("phase", "from", before.Phase, "to", after.Phase)
		d.journal.Metrics.phase(d.kind(), string(before.Phase), string(after.Phase))
	}
	d.base = d.Object.DeepCopyObject().(engines.Database)
	return nil
}

// kind of the database; an object that was read does not say itself.
func (d *Database) kind() string {
	gvk, err := d.journal.Client.GroupVersionKindFor(d.Object)
	if err != nil {
		return ""
	}
	return gvk.Kind
}

// HeldBy is the message of a Paused condition that the request holds. It is compared, never parsed.
func HeldBy(r ops.Request) string {
	return fmt.Sprintf("%s %s (%s) holds this database", r.Kind, r.Name, r.UID)
}

// Holds tells whether that request holds the database's pause.
func Holds(status *kubedbv1.DatabaseStatus, r ops.Request) bool {
	c := meta.FindStatusCondition(status.Conditions, kubedbv1.ConditionPaused)
	return c != nil && c.Status == metav1.ConditionTrue &&
		c.Reason == kubedbv1.ReasonOperationInProgress && c.Message == HeldBy(r)
}

// HeldSince is when that request paused the database; held is false when it does not hold it.
func HeldSince(status *kubedbv1.DatabaseStatus, r ops.Request) (since time.Time, held bool) {
	if !Holds(status, r) {
		return time.Time{}, false
	}
	return meta.FindStatusCondition(status.Conditions, kubedbv1.ConditionPaused).LastTransitionTime.Time, true
}

// Paused tells whether the database is paused, and whether a person did it.
func Paused(status *kubedbv1.DatabaseStatus) (paused, byUser bool) {
	c := meta.FindStatusCondition(status.Conditions, kubedbv1.ConditionPaused)
	if c == nil || c.Status != metav1.ConditionTrue {
		return false, false
	}
	return true, c.Reason != kubedbv1.ReasonOperationInProgress
}

// Patch sends a patch of the main resource and keeps the status that this pass has gathered so far.
func (d *Database) Patch(ctx context.Context, patch client.Patch, opts ...client.PatchOption) error {
	if err := d.Commit(ctx); err != nil {
		return err
	}
	if err := d.journal.Client.Patch(ctx, d.Object, patch, opts...); err != nil {
		return fmt.Errorf("writing %s: %w", d.Object.GetName(), err)
	}
	d.journal.Wrote(d.Object)
	d.base = d.Object.DeepCopyObject().(engines.Database)
	return nil
}
