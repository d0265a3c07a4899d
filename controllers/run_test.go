package controllers

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/ops"
)

// A step that fails is tried again as often as the request says; the metrics tell those tries from the end of it.
func TestAFailedStepCountsAsARetryOrAsAFailure(t *testing.T) {
	r := restartUnderWay()
	w := newWorld(t, r)
	registry := prometheus.NewRegistry()
	w.controller.Journal.Metrics = journal.NewMetrics(registry)
	w.get(t, r)
	o := &operation{request: ops.Request{MaxRetries: 2}, journal: w.controller.Journal.OpenRequest(r)}
	step := ops.Step{Type: "RestartPods"}
	for range 3 {
		since := o.journal.Begin(step)
		w.controller.judge(o, step, since, ops.Outcome{Status: ops.Failed, Reason: "Because", Message: "no"}, nil)
	}
	if err := o.journal.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		got[f.GetName()] = f.GetMetric()[0].GetCounter().GetValue()
	}
	want := map[string]float64{"drydock_opsrequest_step_retries_total": 2, "drydock_opsrequest_step_failures_total": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// When the time of a step is over, what its pod says of itself is told, though it may pass.
func TestAStepThatTookTooLong(t *testing.T) {
	r := restartUnderWay()
	w := newWorld(t, r)
	w.get(t, r)
	o := &operation{request: ops.Request{Timeout: time.Minute}, journal: w.controller.Journal.OpenRequest(r)}
	step := ops.Step{Type: "RestartPods", Action: ops.RollPods{}, Units: 3}
	waits := ops.Outcome{Status: ops.Waiting, Message: "restarting px-2", Account: ": ImagePullBackOff"}
	since := o.journal.Begin(step)
	waits.Turn = since
	if got := w.controller.judge(o, step, since.Add(-time.Minute), waits, nil); got.failed != nil {
		t.Errorf("%+v while the pod has time", got.failed)
	}
	waits.Turn = since.Add(-time.Minute)
	got := w.controller.judge(o, step, since.Add(-time.Minute), waits, nil)
	const want = "step RestartPods took longer than 1m0s: restarting px-2: ImagePullBackOff"
	if got.failed == nil || got.failed.Reason != opsv1.ReasonTimeout || got.failed.Message != want {
		t.Errorf("%+v, want %s", got.failed, want)
	}
}

// A conflict is tried again at once, and less and less often for as long as the watch does not show what is new.
func TestAnOvertakenPassIsMadeAgainEverLater(t *testing.T) {
	db := database()
	w := newWorld(t, db)
	passes := func(n int) (rests []time.Duration) {
		t.Helper()
		for range n {
			result, err := w.controller.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(db)})
			if err != nil {
				t.Fatal(err)
			}
			rests = append(rests, result.RequeueAfter)
		}
		return rests
	}
	const write = "patch status of PerconaXtraDB px"
	const ms = time.Millisecond
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "perconaxtradbs"}, "px", errors.New("somebody was faster"))
	w.fail[write] = conflict
	if got, want := passes(7), []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, aMoment, aMoment}; !slices.Equal(got, want) {
		t.Errorf("it rests %v, not %v", got, want)
	}
	delete(w.fail, write)
	passes(1)
	w.get(t, db)
	db.Status.Conditions = nil // so that there is something to write again
	if err := w.client.Status().Update(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	w.fail[write] = conflict
	if got := passes(1); got[0] != 100*ms {
		t.Errorf("after a pass that was not overtaken it rests %s", got[0])
	}
}

// What becomes of one stopped pod is told in one write at its end, unless it takes longer than a moment.
func TestTheStepsOfOneStoppedPodAreToldTogether(t *testing.T) {
	stop := func(pod string) ops.Step { return ops.Step{Type: "StopPod--" + pod, Action: ops.StopPod{Pod: pod}} }
	expand := func(pod string) ops.Step {
		return ops.Step{Type: "ExpandVolume--" + pod, Action: ops.ExpandVolumes{Pod: pod}}
	}
	start := func(pod string) ops.Step { return ops.Step{Type: "StartPod--" + pod, Action: ops.StartPod{Pod: pod}} }
	all := ops.Step{Type: "ExpandVolumes", Action: ops.ExpandVolumes{Group: "perconaxtradb"}}
	plan := []ops.Step{all, stop("px-1"), expand("px-1"), start("px-1"), stop("px-0"), expand("px-0"), start("px-0")}
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		told     map[string]metav1.ConditionStatus
		finished []ops.Step
		at       ops.Step
		want     time.Duration
	}{
		"the pod's first step is not told yet": {at: stop("px-1")},
		"it has been stopped":                  {told: map[string]metav1.ConditionStatus{"StopPod--px-1": "False"}, finished: []ops.Step{stop("px-1")}, at: expand("px-1"), want: aMoment},
		"it starts":                            {told: map[string]metav1.ConditionStatus{"StopPod--px-1": "False"}, finished: []ops.Step{stop("px-1"), expand("px-1")}, at: start("px-1"), want: aMoment},
		"it starts, and that was told in part": {told: map[string]metav1.ConditionStatus{"StopPod--px-1": "True"}, finished: []ops.Step{expand("px-1")}, at: start("px-1"), want: aMoment},
		"the next one's turn has come": {told: map[string]metav1.ConditionStatus{"StopPod--px-1": "False", "StopPod--px-0": "Unknown"},
			finished: []ops.Step{stop("px-1"), expand("px-1"), start("px-1")}, at: stop("px-0")},
		"it is about no stopped pod": {told: map[string]metav1.ConditionStatus{"ExpandVolumes": "False"}, at: all},
	} {
		t.Run(name, func(t *testing.T) {
			r := restartUnderWay()
			for kind, status := range c.told {
				r.Status.Conditions = append(r.Status.Conditions, metav1.Condition{Type: kind, Status: status, LastTransitionTime: metav1.NewTime(noon)})
			}
			w := newWorld(t)
			w.controller.Journal.Now = func() time.Time { return noon }
			o := &operation{journal: w.controller.Journal.OpenRequest(r)}
			if got := w.controller.untold(o, plan, c.finished, c.at); got != c.want {
				t.Errorf("it may stay untold for %s, not for %s", got, c.want)
			}
			w.controller.Journal.Now = func() time.Time { return noon.Add(-time.Second) }
			if got := w.controller.untold(o, plan, c.finished, c.at); len(c.told) > 0 && got != 0 {
				t.Errorf("by the clock of one that was ahead it may stay untold for %s", got)
			}
			w.controller.Journal.Now = func() time.Time { return noon.Add(aMoment) }
			if got := w.controller.untold(o, plan, c.finished, c.at); got != 0 {
				t.Errorf("after a moment it may stay untold for %s", got)
			}
		})
	}
}

// What volumes have grown to stays, so the end of an undone operation tells of it: the request may be gone soon.
func TestAnUndoneExpansionTellsWhatStays(t *testing.T) {
	step := func(group string) ops.Step {
		return ops.Step{Type: "Expand" + group + "Volumes", Action: ops.ExpandVolumes{Group: group}}
	}
	r := restartUnderWay()
	r.Status.Conditions = append(r.Status.Conditions,
		metav1.Condition{Type: "ExpandLeafVolumes", Status: "True", Message: "2 of 2 claims have 5Gi"},
		metav1.Condition{Type: "ExpandAggregatorVolumes", Status: "False", Message: "1 of 3 claims have 5Gi; the storage refuses"},
		metav1.Condition{Type: "ExpandNodeVolumes", Status: "Unknown"})
	w := newWorld(t)
	o := &operation{journal: w.controller.Journal.OpenRequest(r)}
	o.plan.Steps = []ops.Step{step("Leaf"), step("Aggregator"), step("Node"), {Type: "RestartPods", Action: ops.RollPods{}}}
	for said, want := range map[string]string{
		"the request was deleted": "; volumes stay as large as they are: ExpandLeafVolumes: 2 of 2 claims have 5Gi; ExpandAggregatorVolumes: 1 of 3 claims have 5Gi; the storage refuses",
		"failed: 1 of 3 claims have 5Gi; the storage refuses; 2 of 2 claims have 5Gi": "",
		"the storage refuses": "; volumes stay as large as they are: ExpandLeafVolumes: 2 of 2 claims have 5Gi; ExpandAggregatorVolumes: 1 of 3 claims have 5Gi",
	} {
		if got := o.lasting(said); got != want {
			t.Errorf("after %q it says %q, not %q", said, got, want)
		}
	}
	o.plan.Steps = nil
	if got := o.lasting("no"); got != "" {
		t.Errorf("an operation without volumes says %q", got)
	}
}
