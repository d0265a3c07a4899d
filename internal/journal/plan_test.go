package journal

import (
	"testing"
	"time"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
)

func TestARequestIsPlannedOnceItNamesAStep(t *testing.T) {
	w := newWorld(t)
	r := w.journal.OpenRequest(restart())
	r.Wait(ops.Wait{Reason: opsv1.ReasonRetrying, Message: "not yet"})
	r.BeginUndo(opsv1.ReasonCanceled, "deleted")
	r.Announce(ops.NothingDone().Undo)
	r.summarise()
	if r.Planned() {
		t.Errorf("planned by %+v", r.Object.RequestStatus().Conditions)
	}
	r.Announce([]ops.Step{{Type: "PauseDatabase"}})
	if !r.Planned() {
		t.Errorf("not planned by %+v", r.Object.RequestStatus().Conditions)
	}
}

// A step rests while the plan is lost, and its clock says since when; then it starts anew.
func TestAStepRestsWhileThePlanIsLost(t *testing.T) {
	w := newWorld(t)
	r := w.journal.OpenRequest(restart())
	first, second := ops.Step{Type: "PauseDatabase"}, ops.Step{Type: "RestartPods"}
	r.Start()
	r.Announce([]ops.Step{first, second})
	r.Begin(first)
	r.Finish(first, "done")
	w.clock = w.clock.Add(time.Hour)
	lost := w.clock
	for range 2 {
		if since := r.Lose("no such file"); !since.Equal(lost) {
			t.Errorf("lost since %s, not %s", since, lost)
		}
		w.clock = w.clock.Add(time.Minute)
	}
	if c := r.condition(second.Type); c.Reason != opsv1.ReasonPlanLost || c.Message != "no such file" {
		t.Errorf("%+v", c)
	}
	r.Found()
	if since := r.Begin(second); !since.Equal(w.clock) || !r.IsDone(first) {
		t.Errorf("the step began at %s, not %s", since, w.clock)
	}
}
