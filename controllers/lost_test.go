package controllers

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// heldBy is px, paused by that request.
func heldBy(r *opsv1.PerconaXtraDBOpsRequest) *kubedbv1.PerconaXtraDB {
	db := database()
	db.Status.Conditions = []metav1.Condition{{
		Type: kubedbv1.ConditionPaused, Status: metav1.ConditionTrue, Reason: kubedbv1.ReasonOperationInProgress,
		Message: journal.HeldBy(perconaxtradb.New().Lower(r)), LastTransitionTime: metav1.Now(),
	}}
	return db
}

// planned is a restart that waits for its pods.
func planned() *opsv1.PerconaXtraDBOpsRequest {
	r := restartUnderWay()
	r.OwnerReferences = []metav1.OwnerReference{{APIVersion: "kubedb.com/v1", Kind: "PerconaXtraDB", Name: "px", UID: "db"}}
	at := metav1.NewTime(time.Now().Add(-time.Hour))
	r.Status.Conditions = []metav1.Condition{
		{Type: opsv1.ConditionSuccessful, Status: metav1.ConditionFalse, Reason: opsv1.ReasonProgressing, LastTransitionTime: at},
		{Type: "PauseDatabase", Status: metav1.ConditionTrue, Reason: opsv1.ReasonDone, LastTransitionTime: at},
		{Type: "RestartPods", Status: metav1.ConditionFalse, Reason: opsv1.ReasonProgressing, LastTransitionTime: at},
		{Type: "ResumeDatabase", Status: metav1.ConditionUnknown, Reason: opsv1.ReasonNotStarted, LastTransitionTime: at},
	}
	return r
}

// savedFor is the saved revision of a request.
func savedFor(t *testing.T, request types.UID, data string) *appsv1.ControllerRevision {
	t.Helper()
	if data == "" {
		side := steps.State{Spec: []byte(`{"version":"8.0.40"}`), Workloads: map[string]*appsv1.StatefulSet{"perconaxtradb": {}}}
		raw, err := json.Marshal(steps.Saved{Request: request, Before: side, After: side,
			Topology: ops.Topology{Database: "px", Groups: []ops.Group{{Name: "perconaxtradb", Workload: "px", Replicas: 3}}}})
		if err != nil {
			t.Fatal(err)
		}
		data = string(raw)
	}
	revision := &appsv1.ControllerRevision{ObjectMeta: object(ops.Request{UID: request, Database: "px"}.RevisionName()), Revision: 1, Data: runtime.RawExtension{Raw: []byte(data)}}
	revision.UID = "revision-of-" + request
	revision.Labels = map[string]string{opsv1.LabelKind: "PerconaXtraDBOpsRequest", engines.LabelInstance: "px"}
	revision.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(database(), kubedbv1.GroupVersion.WithKind("PerconaXtraDB"))}
	return revision
}

// try makes one pass and returns its error.
func (w *world) try(t *testing.T) error {
	t.Helper()
	_, err := w.controller.Reconcile(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "px"}})
	return err
}

// operation opens a pass of the one request.
func (w *world) operation(t *testing.T, db *kubedbv1.PerconaXtraDB) *operation {
	t.Helper()
	s, _, err := w.controller.open(t.Context(), client.ObjectKeyFromObject(db))
	if err != nil {
		t.Fatal(err)
	}
	return &operation{session: s, request: s.values[0], journal: s.requests[0]}
}

// givenUp fails unless the operation has ended as one that nobody could undo.
func (w *world) givenUp(t *testing.T, db *kubedbv1.PerconaXtraDB, r *opsv1.PerconaXtraDBOpsRequest, says string) {
	t.Helper()
	w.get(t, db)
	w.get(t, r)
	failed := meta.FindStatusCondition(r.Status.Conditions, opsv1.ConditionFailed)
	if failed == nil || failed.Reason != opsv1.ReasonUndoIncomplete || !strings.Contains(failed.Message, says) || len(r.Finalizers) > 0 {
		t.Errorf("the request's end is %+v with finalizers %v", failed, r.Finalizers)
	}
	if paused, _ := journal.Paused(&db.Status); paused || !meta.IsStatusConditionTrue(db.Status.Conditions, kubedbv1.ConditionDegraded) {
		t.Errorf("the database is paused: %v, and has %+v", paused, db.Status.Conditions)
	}
}

// Whoever keeps old revisions from being deleted does not keep the operation from going on.
func TestWhatCannotBeCollectedStopsNothing(t *testing.T) {
	r := planned()
	db := heldBy(r)
	objects := []client.Object{db, r}
	for i, request := range []types.UID{"earlier0", "earlier1", r.UID, "a later one, whose operator has replaced this one"} {
		revision := savedFor(t, request, "")
		revision.ResourceVersion = strconv.Itoa(9 + i)
		objects = append(objects, revision)
	}
	w := newWorld(t, objects...)
	w.fail["delete ControllerRevision px-ops-earlier0"] = errors.New("a policy says no")
	o := w.operation(t, db)
	if err := w.controller.load(t.Context(), o, false); err != nil || len(o.plan.Steps) == 0 {
		t.Errorf("%v, plan %v", err, o.plan)
	}
	if len(w.writes) != 2 {
		t.Errorf("writes: %q", w.writes)
	}
	clear(w.fail)
	if err := w.controller.close(t.Context(), o); err != nil {
		t.Error(err)
	}
	if !slices.Contains(w.writes[2:], "delete ControllerRevision px-ops-earlier0") {
		t.Errorf("what an operation of one pass could not collect stays: %q", w.writes)
	}
}

// A revision that this operator cannot read may be readable for the next one. It is given as long as a step may take, not
// counting what the step has taken before, and then the database is let go.
func TestAPlanThatStaysUnreadableIsGivenUp(t *testing.T) {
	r := planned()
	db := heldBy(r)
	w := newWorld(t, db, r, savedFor(t, r.UID, `{"topology":1}`))
	now := time.Now()
	w.controller.Journal.Now = func() time.Time { return now }
	for range 2 {
		if err := w.try(t); err == nil {
			t.Fatal("the unreadable revision is no error")
		}
		w.get(t, r)
		if c := meta.FindStatusCondition(r.Status.Conditions, "RestartPods"); c.Reason != opsv1.ReasonPlanLost || r.Status.Phase != opsv1.PhaseProgressing {
			t.Fatalf("%s, %+v", r.Status.Phase, c)
		}
		now = now.Add(ops.DefaultTimeout - time.Second)
	}
	now = now.Add(time.Minute)
	w.reconcile(t)
	w.givenUp(t, db, r, "what the operation was planned from is lost")
}

// Somebody has put another revision in the place of ours. That is no end without a word about what had been done.
func TestARevisionThatWasReplacedIsGivenUp(t *testing.T) {
	r := planned()
	db := heldBy(r)
	foreign := savedFor(t, r.UID, "")
	foreign.OwnerReferences = nil
	w := newWorld(t, db, r, foreign)
	w.reconcile(t)
	w.givenUp(t, db, r, "exists and is not controlled by this request")
}

// Somebody has deleted what the operation was planned from. Beginning again would take the half-changed database for what it
// had been, and an undo has nothing to go back to.
func TestARevisionThatIsGoneIsGivenUp(t *testing.T) {
	undoing := metav1.Condition{Type: opsv1.ConditionFailed, Status: metav1.ConditionFalse, Reason: opsv1.ReasonTimeout, Message: "it took too long"}
	for name, c := range map[string]struct {
		change func(*opsv1.PerconaXtraDBOpsRequest)
		says   string
	}{
		"on the way": {func(*opsv1.PerconaXtraDBOpsRequest) {}, "what the operation was planned from is lost"},
		"undoing": {func(r *opsv1.PerconaXtraDBOpsRequest) { r.Status.Conditions = append(r.Status.Conditions, undoing) },
			"it took too long; undoing it failed too: "},
		"canceled": {func(r *opsv1.PerconaXtraDBOpsRequest) { r.DeletionTimestamp = new(metav1.Now()) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := planned()
			c.change(r)
			db := heldBy(r)
			w := newWorld(t, db, r)
			w.reconcile(t)
			if r.DeletionTimestamp == nil {
				w.givenUp(t, db, r, c.says)
				w.givenUp(t, db, r, "somebody has deleted the saved revision px-ops-request-")
				return
			}
			w.get(t, db)
			if last := db.Status.LastOperation; last == nil || last.Reason != opsv1.ReasonUndoIncomplete {
				t.Errorf("the database says of its last operation: %+v", last)
			}
		})
	}
}

// The operator dies between closing the gate and saving the change: there is nothing to be lost yet.
func TestAnOperationWithoutARevisionYet(t *testing.T) {
	t.Run("begins", func(t *testing.T) {
		r := restartUnderWay()
		db := heldBy(r)
		w := newWorld(t, db, r)
		o := w.operation(t, db)
		err := w.controller.load(t.Context(), o, false)
		// There is no catalog here, which is the first thing that beginning asks for.
		if refused, ok := errors.AsType[*refusal](err); !ok || refused.reason != kubedbv1.ReasonVersionNotFound {
			t.Errorf("%v", err)
		}
	})
	t.Run("finds another database", func(t *testing.T) {
		r := restartUnderWay()
		r.Spec.Type, r.Spec.TLS = opsv1.ReconfigureTLS, &opsv1.PerconaXtraDBTLSSpec{RequireSSL: new(false)}
		db := heldBy(r)
		w := newWorld(t, db, r)
		o := w.operation(t, db)
		_, err := w.controller.changeTLS(t.Context(), o, db)
		// It had TLS when the request was admitted.
		if refused, ok := errors.AsType[*refusal](err); !ok || refused.reason != opsv1.ReasonInvalid {
			t.Errorf("%v", err)
		}
	})
	t.Run("is canceled", func(t *testing.T) {
		r := restartUnderWay()
		r.DeletionTimestamp = new(metav1.Now())
		r.Status.Conditions = []metav1.Condition{ // and dies once more while it opens the gate
			{Type: opsv1.ConditionFailed, Status: metav1.ConditionFalse, Reason: opsv1.ReasonCanceled, Message: "it was deleted"},
			{Type: opsv1.ConditionSuccessful, Status: metav1.ConditionFalse, Reason: opsv1.ReasonUndoing},
			{Type: "UndoResumeDatabase", Status: metav1.ConditionFalse, Reason: opsv1.ReasonProgressing},
		}
		db := heldBy(r)
		w := newWorld(t, db, r)
		w.reconcile(t)
		w.get(t, db)
		if last := db.Status.LastOperation; last == nil || last.Outcome != kubedbv1.OutcomeCanceled {
			t.Errorf("the database says of its last operation: %+v", last)
		}
	})
}

// A database of the same name is another one: what was planned for the first is nothing to it.
func TestAPlanForADatabaseThatIsGoneHarmsNoOther(t *testing.T) {
	for name, revision := range map[string]*appsv1.ControllerRevision{"with its revision": nil, "its revision is there still": savedFor(t, "request-1", "")} {
		t.Run(name, func(t *testing.T) {
			r := planned()
			r.DeletionTimestamp = new(metav1.Now())
			r.OwnerReferences[0].UID = "the first"
			db := database()
			objects := []client.Object{db, r}
			if revision != nil {
				revision.OwnerReferences[0].UID = "the first"
				objects = append(objects, revision)
			}
			w := newWorld(t, objects...)
			_ = w.try(t)
			w.get(t, db)
			if c := meta.FindStatusCondition(db.Status.Conditions, kubedbv1.ConditionDegraded); c != nil {
				t.Errorf("the second one is Degraded: %s", c.Message)
			}
		})
	}
}

// The database says that the operation is over, so what it was planned from is not needed.
func TestAnEndIsToldWithoutThePlan(t *testing.T) {
	r, db := planned(), database()
	db.Status.LastOperation = &kubedbv1.LastOperation{
		Kind: "PerconaXtraDBOpsRequest", Name: "r", UID: r.UID, Outcome: kubedbv1.OutcomeSuccessful, Reason: "Because", Message: "it ended",
	}
	w := newWorld(t, db, r, savedFor(t, r.UID, `{"topology":1}`))
	w.reconcile(t)
	w.get(t, r)
	if r.Status.Phase != opsv1.PhaseSuccessful || len(r.Finalizers) > 0 {
		t.Errorf("the request is %s with finalizers %v", r.Status.Phase, r.Finalizers)
	}
}
