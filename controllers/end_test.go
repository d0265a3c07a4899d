package controllers

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// An operation is refused before it has a plan, and the database cannot be written: the request does not end before the database
// says how. A request that is over would be let go, and nobody would write the outcome any more.
func TestARequestDoesNotEndBeforeTheDatabaseSaysSo(t *testing.T) {
	r := restartUnderWay()
	db := heldBy(r)
	w := newWorld(t, db, r)
	away := errors.New("the API server is away")
	w.fail["patch status of PerconaXtraDB px"] = away
	if err := w.controller.surprise(t.Context(), w.operation(t, db), &refusal{opsv1.ReasonInvalid, errors.New("spec.x: no")}); !errors.Is(err, away) {
		t.Errorf("%v: nobody will try again", err)
	}
	if w.get(t, r); r.Status.Phase == opsv1.PhaseFailed {
		t.Error("the request has ended, and the database does not know how")
	}
	delete(w.fail, "patch status of PerconaXtraDB px")
	w.get(t, db)
	if err := w.controller.surprise(t.Context(), w.operation(t, db), &refusal{opsv1.ReasonInvalid, errors.New("spec.x: no")}); err != nil {
		t.Error(err)
	}
	w.get(t, r)
	w.get(t, db)
	if r.Status.Phase != opsv1.PhaseFailed || db.Status.LastOperation == nil || db.Status.LastOperation.Outcome != kubedbv1.OutcomeFailed {
		t.Errorf("the request is %s, the last operation %+v", r.Status.Phase, db.Status.LastOperation)
	}
}

// The database is gone. A request that cannot be written keeps none of the others.
func TestWithoutADatabaseEachRequestIsSeenTo(t *testing.T) {
	var objects []client.Object
	for _, name := range []string{"a", "b"} {
		r := &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: object(name)}
		r.UID, r.Finalizers = types.UID(name), []string{opsv1.Finalizer}
		r.Spec.Type, r.Spec.DatabaseRef.Name = opsv1.Restart, "px"
		r.Status.Conditions = []metav1.Condition{{Type: opsv1.ConditionSuccessful, Status: metav1.ConditionFalse}, {Type: "PauseDatabase", Status: metav1.ConditionTrue}}
		objects = append(objects, r)
	}
	w, refused := newWorld(t, objects...), errors.New("a policy says no")
	w.fail["patch status of PerconaXtraDBOpsRequest a"] = refused
	if err := w.try(t); !errors.Is(err, refused) {
		t.Errorf("%v: nobody will try again", err)
	}
	other := &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: object("b")}
	if w.get(t, other); other.Status.Phase != opsv1.PhaseFailed || len(other.Finalizers) > 0 {
		t.Errorf("request b is %s with finalizers %v", other.Status.Phase, other.Finalizers)
	}
}

// A claim and a pod with the database's labels and other names than its pods have are somebody's, and stay.
func TestOnlyTheDatabasesOwnGoWithIt(t *testing.T) {
	db, now := database(), metav1.Now()
	db.Spec.DeletionPolicy, db.DeletionTimestamp = kubedbv1.DeletionWipeOut, &now
	claims := []string{"data-px-0", "data-px-backup", "data-px-01"}
	pods := []string{"px-0", "px-backup"}
	objects := []client.Object{db}
	for _, name := range claims {
		objects = append(objects, &corev1.PersistentVolumeClaim{ObjectMeta: labelled(name)})
	}
	for _, name := range pods {
		objects = append(objects, &corev1.Pod{ObjectMeta: labelled(name)})
	}
	w := newWorld(t, objects...)
	w.reconcile(t)
	for _, o := range objects[1:] {
		own := o.GetName() == "data-px-0" || o.GetName() == "px-0"
		err := w.client.Get(t.Context(), client.ObjectKeyFromObject(o), o)
		if gone := apierrors.IsNotFound(err); gone != own {
			t.Errorf("%T %s is gone: %t", o, o.GetName(), gone)
		}
	}
}
