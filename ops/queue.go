package ops

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// DatabaseState is what the queue has to know about a database that is there and is to stay.
type DatabaseState struct {
	Halted, Ready bool
	// Unmade names a workload that has not been made yet, was deleted, or has not the pods that the spec asks for; empty when all
	// are there.
	Unmade string
	// PausedByUser is true when the Paused condition is not an operation's.
	PausedByUser bool
	// Holder is the UID of the request in the Paused condition, "" if there is none.
	Holder types.UID
	// LastFailed is true when the last finished operation Failed and the database has not been Ready since. It lets a
	// correction run although the database is not Ready.
	LastFailed bool
}

// LastFailed tells whether the last operation did not succeed and the database has not been Ready since, so that a correction may
// run although the database is not Ready.
func LastFailed(status *kubedbv1.DatabaseStatus) bool {
	last, ready := status.LastOperation, meta.FindStatusCondition(status.Conditions, kubedbv1.ConditionReady)
	if last == nil || last.Outcome == kubedbv1.OutcomeSuccessful || ready == nil || ready.Status == metav1.ConditionTrue {
		return false
	}
	return !ready.LastTransitionTime.After(last.FinishedAt.Time)
}

// Wait says why a request does not run.
type Wait struct{ Reason, Message string }

// Choice is what the queue decided. Every unfinished request is either Run or in Waiting.
type Choice struct {
	// Run is the request to work on; nil when there is nothing to operate.
	Run     *Request
	Waiting map[types.UID]Wait
}

// Next chooses the request to work on. A request that has begun always continues, even if it is being deleted, so that it
// can be ended; else the oldest runnable one begins. The order of the input does not matter.
func Next(requests []Request, db DatabaseState) Choice {
	queue := slices.DeleteFunc(slices.Clone(requests), func(r Request) bool { return r.Finished })
	slices.SortFunc(queue, older)
	runner := slices.IndexFunc(queue, func(r Request) bool { return begun(r, db) })
	if runner < 0 {
		runner = slices.IndexFunc(queue, func(r Request) bool { return obstacle(r, db) == nil })
	}
	choice := Choice{Waiting: map[types.UID]Wait{}}
	if runner >= 0 {
		choice.Run = &queue[runner]
	}
	for i, r := range queue {
		if i != runner {
			choice.Waiting[r.UID] = whyNot(r, choice.Run, db)
		}
	}
	return choice
}

// older orders requests by creation, which has whole seconds only, then by name, then by UID.
func older(a, b Request) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID))
}

// begun tells whether the request has touched the database. One that holds the pause has, even if the operator died
// before it could write so into the request.
func begun(r Request, db DatabaseState) bool {
	return r.Started || (db.Holder != "" && r.UID == db.Holder)
}

// whyNot explains to the owner of a request that is not run what it waits for. While another request runs, the text
// does not depend on the state of the database, which comes and goes with every pod that restarts: it is written once.
func whyNot(r Request, run *Request, db DatabaseState) Wait {
	if w := ownObstacle(r); w != nil {
		return *w
	}
	if run != nil {
		return Wait{opsv1.ReasonWaitingForOther, fmt.Sprintf("waiting for %s request %q, which runs now", run.Type, run.Name)}
	}
	return *obstacle(r, db)
}

// obstacle returns what keeps a request from beginning, or nil.
func obstacle(r Request, db DatabaseState) *Wait {
	if w := ownObstacle(r); w != nil {
		return w
	}
	switch {
	case db.PausedByUser:
		return &Wait{opsv1.ReasonDatabasePaused, "someone paused the database; the request runs once that pause is removed"}
	case db.Halted:
		return &Wait{opsv1.ReasonDatabaseHalted, "the database is halted; the request runs once spec.halted is false"}
	case db.Unmade != "":
		// Operations change what provisioning has made, and provisioning rests while one runs.
		return &Wait{opsv1.ReasonDatabaseNotProvisioned, fmt.Sprintf(
			"workload %q of the database is not there, or not as large as its spec asks for; the request runs once the database is provisioned, and until then its spec can be edited", db.Unmade)}
	case r.Apply != opsv1.ApplyAlways && !db.Ready && !db.LastFailed:
		return &Wait{opsv1.ReasonDatabaseNotReady,
			"the database is not Ready; the request runs once it is (a request with apply: Always does not wait for that)"}
	}
	return nil
}

// ownObstacle returns what the request itself gives as a reason not to begin, whatever the database is like.
func ownObstacle(r Request) *Wait {
	switch {
	case r.Deleting:
		return &Wait{opsv1.ReasonCanceled, "the request is being deleted and has not begun"}
	case !Implemented(r.Type):
		return &Wait{opsv1.ReasonNotSupported, fmt.Sprintf("%s is not carried out by this version", r.Type)}
	}
	return nil
}
