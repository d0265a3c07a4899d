package ops

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// asked is a request of the given name, created that many seconds into the test.
func asked(name string, second int, change ...func(*Request)) Request {
	r := Request{
		Kind: opsv1.KindSinglestoreOpsRequest, Namespace: "demo", Name: name, UID: types.UID("uid-" + name), Database: "sdb",
		Type: opsv1.Restart, Apply: opsv1.ApplyIfReady, Created: time.Unix(int64(second), 0),
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func started(r *Request)  { r.Started = true }
func finished(r *Request) { r.Started, r.Finished = true, true }
func deleting(r *Request) { r.Deleting = true }
func always(r *Request)   { r.Apply = opsv1.ApplyAlways }
func uid(u types.UID) func(*Request) {
	return func(r *Request) { r.UID = u }
}
func unset(r *Request)    { r.Apply = "" }
func rotation(r *Request) { r.Type = opsv1.RotateAuth } // no version carries it out

const (
	notReady = "DatabaseNotReady: the database is not Ready; the request runs once it is (a request with apply: Always does not wait for that)"
	byUser   = "DatabasePausedByUser: someone paused the database; the request runs once that pause is removed"
	halted   = "DatabaseHalted: the database is halted; the request runs once spec.halted is false"
	tooNew   = "NotSupportedYet: RotateAuth is not carried out by this version"
	leaving  = "Canceled: the request is being deleted and has not begun"
	unmade   = `DatabaseNotProvisioned: workload "sdb-leaf" of the database is not there, or not as large as its spec asks for; the request runs once the database is provisioned, and until then its spec can be edited`
	behindA  = `WaitingForOtherRequest: waiting for Restart request "a", which runs now`
	behindB  = `WaitingForOtherRequest: waiting for Restart request "b", which runs now`
)

func TestNext(t *testing.T) {
	ready := DatabaseState{Ready: true}
	for _, c := range []struct {
		name     string
		requests []Request
		db       DatabaseState
		run      string
		waiting  map[types.UID]string
	}{
		{name: "nothing to do", db: ready},
		{"finished ones are over", []Request{asked("a", 1, finished)}, ready, "", nil},
		{"one that would not wait for Ready waits for the workloads all the same", []Request{asked("a", 1, always)},
			DatabaseState{Unmade: "sdb-leaf"}, "", map[types.UID]string{"uid-a": unmade}},
		{"one that has begun makes a missing workload itself", []Request{asked("a", 1, started)},
			DatabaseState{Unmade: "sdb-leaf"}, "a", nil},
		{"the oldest first", []Request{asked("b", 2), asked("a", 1)}, ready, "a", map[types.UID]string{"uid-b": behindA}},
		{"then by name", []Request{asked("b", 1), asked("a", 1)}, ready, "a", map[types.UID]string{"uid-b": behindA}},
		{"by name, whatever the UIDs", []Request{asked("b", 1, uid("1")), asked("a", 1, uid("2"))}, ready, "a", map[types.UID]string{"1": behindA}},
		{"of one name, by UID", []Request{asked("a", 1, uid("2")), asked("a", 1, uid("1"))}, ready, "a", map[types.UID]string{"2": behindA}},
		{"a running one continues", []Request{asked("a", 1), asked("b", 2, started)}, ready, "b", map[types.UID]string{"uid-a": behindB}},
		{"a running one continues while the database is not Ready", []Request{asked("a", 1, always), asked("b", 2, started)},
			DatabaseState{}, "b", map[types.UID]string{"uid-a": behindB}},
		{"a running one is cancelled, which needs it to run", []Request{asked("a", 1, started, deleting), asked("b", 2)}, ready, "a", map[types.UID]string{"uid-b": behindA}},
		{"one that holds the pause has begun", []Request{asked("a", 1), asked("b", 2)}, DatabaseState{Ready: true, Holder: "uid-b"}, "b", map[types.UID]string{"uid-a": behindB}},
		{"one that holds the pause and is deleted has to let go", []Request{asked("b", 2, deleting), asked("a", 1)},
			DatabaseState{Ready: true, Holder: "uid-b"}, "b", map[types.UID]string{"uid-a": behindB}},
		{"a pause whose holder has finished stops nobody", []Request{asked("a", 1, finished), asked("b", 2)},
			DatabaseState{Ready: true, Holder: "uid-a"}, "b", nil},
		{"one that is deleted before it began", []Request{asked("a", 1, deleting), asked("b", 2)}, ready, "b", map[types.UID]string{"uid-a": leaving}},
		{"not Ready", []Request{asked("a", 1)}, DatabaseState{}, "", map[types.UID]string{"uid-a": notReady}},
		{"no apply is IfReady", []Request{asked("a", 1, unset)}, DatabaseState{}, "", map[types.UID]string{"uid-a": notReady}},
		{"a correction passes one that waits until Ready", []Request{asked("a", 1), asked("b", 2, always)}, DatabaseState{}, "b", map[types.UID]string{"uid-a": behindB}},
		{"after a failure IfReady runs too", []Request{asked("a", 1)}, DatabaseState{LastFailed: true}, "a", nil},
		{"not supported", []Request{asked("v", 1, rotation), asked("b", 2)}, ready, "b", map[types.UID]string{"uid-v": tooNew}},
		{"not supported, and nobody else", []Request{asked("v", 1, rotation)}, DatabaseState{}, "", map[types.UID]string{"uid-v": tooNew}},
		{"paused by a person", []Request{asked("a", 1, always), asked("b", 2)}, DatabaseState{Ready: true, PausedByUser: true},
			"", map[types.UID]string{"uid-a": byUser, "uid-b": byUser}},
		{"halted", []Request{asked("a", 1, always)}, DatabaseState{Halted: true}, "", map[types.UID]string{"uid-a": halted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Next(c.requests, c.db)
			run := ""
			if got.Run != nil {
				run = got.Run.Name
			}
			if run != c.run {
				t.Errorf("runs %q, want %q", run, c.run)
			}
			waiting := map[types.UID]string{}
			for uid, w := range got.Waiting {
				waiting[uid] = w.Reason + ": " + w.Message
			}
			if c.waiting == nil {
				c.waiting = map[types.UID]string{}
			}
			if diff := cmp.Diff(c.waiting, waiting); diff != "" {
				t.Errorf("waiting (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is asked: one request runs at most, every other unfinished one says what it waits for, the oldest that can
// run does, and the order of the list plays no part.
func TestNextOfRandomQueues(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		requests, db := randomQueue(random)
		given := slices.Clone(requests)
		choice := Next(requests, db)
		if diff := cmp.Diff(given, requests); diff != "" {
			t.Fatalf("the input was changed:\n%s", diff)
		}
		checkChoice(t, requests, db, choice)
		random.Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
		if diff := cmp.Diff(choice, Next(requests, db)); diff != "" {
			t.Fatalf("the order of the list plays a part:\n%s", diff)
		}
	}
}

func randomQueue(random *rand.Rand) ([]Request, DatabaseState) {
	coin := func() bool { return random.IntN(2) == 0 }
	db := DatabaseState{Halted: random.IntN(6) == 0, Ready: coin(), PausedByUser: random.IntN(6) == 0, LastFailed: random.IntN(4) == 0}
	kinds := []opsv1.OpsType{opsv1.Restart, opsv1.Reconfigure, opsv1.VolumeExpansion, opsv1.RotateAuth}
	applies := []opsv1.ApplyOption{opsv1.ApplyIfReady, opsv1.ApplyAlways, ""}
	requests := make([]Request, random.IntN(7))
	for i := range requests {
		requests[i] = asked(fmt.Sprint(i), random.IntN(4), func(r *Request) {
			r.Type, r.Apply = kinds[random.IntN(len(kinds))], applies[random.IntN(len(applies))]
			r.Deleting, r.Started = random.IntN(5) == 0, random.IntN(8) == 0
			r.Finished = r.Started && coin()
		})
	}
	if len(requests) > 0 && random.IntN(5) == 0 {
		db.Holder = requests[random.IntN(len(requests))].UID
	}
	return requests, db
}

func checkChoice(t *testing.T, requests []Request, db DatabaseState, choice Choice) {
	t.Helper()
	unfinished := 0
	for _, r := range requests {
		wait, waits := choice.Waiting[r.UID]
		runs := choice.Run != nil && choice.Run.UID == r.UID
		if r.Finished {
			if waits || runs {
				t.Fatalf("%s has finished, but runs or waits", r.Name)
			}
			continue
		}
		unfinished++
		if waits == runs {
			t.Fatalf("%s: runs %v, waits %v", r.Name, runs, waits)
		}
		if waits && (wait.Reason == "" || wait.Message == "") {
			t.Fatalf("%s waits without a word", r.Name)
		}
		checkTurn(t, r, choice.Run, db)
	}
	if len(choice.Waiting) > unfinished {
		t.Fatalf("%d wait of %d unfinished", len(choice.Waiting), unfinished)
	}
}

// checkTurn fails if it is the request's turn and another or none runs, or if it runs out of turn.
func checkTurn(t *testing.T, r Request, run *Request, db DatabaseState) {
	t.Helper()
	may := mayRun(r, db)
	switch {
	case run != nil && run.UID == r.UID:
		if !may {
			t.Fatalf("%s runs and may not", r.Name)
		}
	case !may:
	case run == nil:
		t.Fatalf("%s could run and nothing does", r.Name)
	case on(r, db) && !on(*run, db):
		t.Fatalf("%s has begun, but %s runs", r.Name, run.Name)
	case on(r, db) == on(*run, db) && older(r, *run) < 0:
		t.Fatalf("%s is older than %s, which runs", r.Name, run.Name)
	}
}

func on(r Request, db DatabaseState) bool { return r.Started || r.UID == db.Holder }

// mayRun is the rule in words of its own.
func mayRun(r Request, db DatabaseState) bool {
	open := !db.Halted && !db.PausedByUser
	patient := r.Apply != opsv1.ApplyAlways && !db.Ready && !db.LastFailed
	return on(r, db) || (open && !patient && !r.Deleting && Implemented(r.Type))
}
