package journal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a fake API server that counts status writes.
type world struct {
	journal *Journal
	client  client.Client
	events  *events.FakeRecorder
	clock   time.Time
	patches int
	fail    error
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{kubedbv1.AddToScheme, opsv1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{clock: start, events: events.NewFakeRecorder(20)}
	w.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(objects...).
		WithInterceptorFuncs(interceptor.Funcs{
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
				w.patches++
				if w.fail != nil {
					return w.fail
				}
				return c.SubResource(sub).Patch(ctx, o, p, opts...)
			},
		}).Build()
	w.journal = &Journal{Client: w.client, Recorder: w.events, Now: func() time.Time { return w.clock }}
	return w
}

func restart() *opsv1.PerconaXtraDBOpsRequest {
	return &opsv1.PerconaXtraDBOpsRequest{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "again", UID: "u1", Generation: 1},
		Spec: opsv1.PerconaXtraDBOpsRequestSpec{OpsRequestSpec: opsv1.OpsRequestSpec{
			Type: opsv1.Restart, DatabaseRef: opsv1.DatabaseReference{Name: "px"},
		}},
	}
}

var plan = []ops.Step{{Type: "PauseDatabase", Action: ops.Pause{}}, {Type: "ResumeDatabase", Action: ops.Resume{}}}

// open reads the request as the next pass would.
func (w *world) open(t *testing.T) *Request {
	t.Helper()
	var r opsv1.PerconaXtraDBOpsRequest
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: "again"}, &r); err != nil {
		t.Fatal(err)
	}
	return w.journal.OpenRequest(&r)
}

func commit(t *testing.T, r *Request) {
	t.Helper()
	if err := r.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestOneWritePerPassAndNoneWithoutChange(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	r.Start()
	r.Announce(plan)
	r.Begin(plan[0])
	r.Finish(plan[0], "the database is paused")
	commit(t, r)
	if w.patches != 1 {
		t.Fatalf("a pass wrote %d times, want once", w.patches)
	}
	again := w.open(t)
	again.Start()
	again.Announce(plan)
	commit(t, again)
	if w.patches != 1 {
		t.Errorf("a pass that found nothing new wrote")
	}
}

func TestProgressPhaseAndKstatus(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	r.Wait(ops.Wait{Reason: opsv1.ReasonDatabaseNotReady, Message: "not yet"})
	commit(t, r)
	check := func(phase opsv1.OpsPhase, progress string, ready, reconciling, stalled metav1.ConditionStatus) {
		t.Helper()
		s := w.open(t).Object.RequestStatus()
		if s.Phase != phase || s.Progress != progress {
			t.Errorf("phase %q progress %q, want %q %q", s.Phase, s.Progress, phase, progress)
		}
		for kind, want := range map[string]metav1.ConditionStatus{
			opsv1.ConditionReady: ready, opsv1.ConditionReconciling: reconciling, opsv1.ConditionStalled: stalled,
		} {
			if c := meta.FindStatusCondition(s.Conditions, kind); c == nil || c.Status != want {
				t.Errorf("condition %s is %v, want %s", kind, c, want)
			}
		}
	}
	check(opsv1.PhasePending, "", "False", "True", "False")
	r = w.open(t)
	r.Start()
	r.Announce(plan)
	r.Begin(plan[0])
	r.Finish(plan[0], "")
	commit(t, r)
	check(opsv1.PhaseProgressing, "1/2", "False", "True", "False")
	r.Begin(plan[1])
	r.Finish(plan[1], "")
	r.Succeed("done")
	commit(t, r)
	check(opsv1.PhaseSuccessful, "2/2", "True", "False", "False")
}

func TestFailedIsSaidOnlyAfterTheUndo(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	r.Start()
	r.BeginUndo(opsv1.ReasonTimeout, "pod px-2 is not Ready")
	commit(t, r)
	r = w.open(t)
	if s := r.Object.RequestStatus(); s.Phase != opsv1.PhaseProgressing {
		t.Fatalf("phase is %s during the undo, want Progressing", s.Phase)
	}
	cause, undoing := r.Undoing()
	if !undoing || cause.Reason != opsv1.ReasonTimeout || cause.Message != "pod px-2 is not Ready" {
		t.Fatalf("the cause is lost: %v %v", cause, undoing)
	}
	r.Fail(cause.Reason, cause.Message)
	commit(t, r)
	if s := w.open(t).Object.RequestStatus(); s.Phase != opsv1.PhaseFailed {
		t.Errorf("phase is %s, want Failed", s.Phase)
	}
}

func TestEventsAtStartFailureUndoAndEndOnly(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	r.Start()
	commit(t, r)
	for i := range 5 {
		r.Begin(plan[0])
		r.Note(plan[0], "RestartingPods", string(rune('a'+i)))
		commit(t, r)
	}
	r.Succeed("well done")
	commit(t, r)
	commit(t, r)
	want := []string{"Normal Starting started Restart of px", "Normal Successful well done"}
	for _, text := range want {
		select {
		case got := <-w.events.Events:
			if got != text {
				t.Errorf("event %q, want %q", got, text)
			}
		default:
			t.Errorf("event %q is missing", text)
		}
	}
	select {
	case extra := <-w.events.Events:
		t.Errorf("one event too many: %s", extra)
	default:
	}
}

func TestALineInTheLogForEachTransition(t *testing.T) {
	w := newWorld(t, restart())
	var lines []string
	ctx := logf.IntoContext(t.Context(), funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{}))
	r := w.open(t)
	r.Start()
	r.Begin(plan[0])
	for range 2 {
		if err := r.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for _, line := range lines {
		if !strings.Contains(line, `"msg"="transition"`) {
			t.Errorf("another line: %s", line)
		}
		seen[line]++
	}
	for _, condition := range []string{opsv1.ConditionSuccessful, plan[0].Type} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, `"condition"="`+condition+`"`) }) {
			t.Errorf("no line tells of %s: %q", condition, lines)
		}
	}
	for line, times := range seen {
		if times > 1 {
			t.Errorf("%d times: %s", times, line)
		}
	}
}

func TestACancelIsNoFailure(t *testing.T) {
	for name, c := range map[string]struct {
		undo, end string
		// quick ends are written together with the beginning of the undo.
		quick  bool
		events []string
		metric string
	}{
		"canceled": {
			undo: opsv1.ReasonCanceled, end: opsv1.ReasonCanceled, metric: "Canceled",
			events: []string{"Normal Canceling because", "Normal Canceled the end"},
		},
		"canceled with nothing to undo": {
			undo: opsv1.ReasonCanceled, end: opsv1.ReasonCanceled, quick: true, metric: "Canceled",
			events: []string{"Normal Canceled the end"},
		},
		"failed": {
			undo: opsv1.ReasonTimeout, end: opsv1.ReasonTimeout, metric: "Failed",
			events: []string{"Warning Undoing because", "Warning Failed the end"},
		},
		"canceled, and the undo failed": {
			undo: opsv1.ReasonCanceled, end: opsv1.ReasonUndoIncomplete, metric: "Failed",
			events: []string{"Normal Canceling because", "Warning Failed the end"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, restart())
			registry := prometheus.NewRegistry()
			w.journal.Metrics = NewMetrics(registry)
			r := w.open(t)
			r.Start()
			commit(t, r)
			<-w.events.Events
			r.BeginUndo(c.undo, "because")
			root := opsv1.ReasonUndoing
			if c.undo == opsv1.ReasonCanceled {
				root = opsv1.ReasonCanceling
			}
			if got := r.condition(opsv1.ConditionSuccessful).Reason; got != root {
				t.Errorf("reason %s while it is undone, want %s", got, root)
			}
			if !c.quick {
				commit(t, r)
			}
			r.Fail(c.end, "the end")
			commit(t, r)
			for _, want := range c.events {
				if got := w.nextEvent(); got != want {
					t.Errorf("event %q, want %q", got, want)
				}
			}
			if extra := w.nextEvent(); extra != "" {
				t.Errorf("one event too many: %s", extra)
			}
			want := map[string]float64{"drydock_opsrequest_duration_seconds{outcome=" + c.metric + ",type=Restart}": 1}
			if diff := cmp.Diff(want, series(t, registry, "drydock_opsrequest_duration_seconds")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// nextEvent is empty when there is none.
func (w *world) nextEvent() string {
	select {
	case e := <-w.events.Events:
		return e
	default:
		return ""
	}
}

// series are the metrics whose names begin like that: the values of counters, and how often histograms observed something.
func series(t *testing.T, registry *prometheus.Registry, prefix string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), prefix) {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			all[f.GetName()+"{"+strings.Join(labels, ",")+"}"] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func TestRetryStartsTheClockAgain(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	first := r.Begin(plan[0])
	w.clock = w.clock.Add(time.Hour)
	if again := r.Begin(plan[0]); !again.Equal(first) {
		t.Fatalf("a step under way restarted its clock: %s", again)
	}
	r.Retry(plan[0], "timed out")
	if again := r.Begin(plan[0]); !again.Equal(w.clock) {
		t.Errorf("the clock reads %s after a retry, want %s", again, w.clock)
	}
	if n := r.Object.RequestStatus().Retries; n != 1 {
		t.Errorf("%d retries counted, want 1", n)
	}
	for _, c := range []struct{ later, rest time.Duration }{{0, 5 * time.Second}, {3 * time.Second, 2 * time.Second}, {2 * time.Second, 0}} {
		w.clock = w.clock.Add(c.later)
		if rest := r.Resting(plan[0], 5*time.Second); rest != c.rest {
			t.Errorf("%s later it rests for %s, want %s", c.later, rest, c.rest)
		}
	}
	r.Note(plan[0], "", "under way again")
	w.clock = w.clock.Add(-time.Second)
	if rest := r.Resting(plan[0], 5*time.Second); rest != 0 {
		t.Errorf("a step under way rests for %s", rest)
	}
}

func TestAStepThatIsGivenUpSaysWhy(t *testing.T) {
	for _, c := range []struct{ far, why, want string }{
		{"", "pod px-2 does not start", "pod px-2 does not start"},
		{"restarted 1 of 3 pods", "pod px-2 does not start", "restarted 1 of 3 pods; pod px-2 does not start"},
		{"2 of 3 claims have 2Gi", "step ExpandVolumes took longer than 10m: 2 of 3 claims have 2Gi", "step ExpandVolumes took longer than 10m: 2 of 3 claims have 2Gi"},
	} {
		r := newWorld(t, restart()).open(t)
		r.Begin(plan[0])
		r.Note(plan[0], "RestartingPods", c.far)
		r.GiveUp(plan[0], "PodNotStarting", c.why)
		got := r.condition(plan[0].Type)
		if got.Status != metav1.ConditionFalse || got.Reason != "PodNotStarting" || got.Message != c.want {
			t.Errorf("the step says %s, %s: %s", got.Status, got.Reason, got.Message)
		}
	}
}

func TestStaleCopiesAreRecognised(t *testing.T) {
	w := newWorld(t, restart())
	old := w.open(t).Object.DeepCopyObject().(*opsv1.PerconaXtraDBOpsRequest)
	r := w.open(t)
	r.Start()
	commit(t, r)
	if !w.journal.Stale(old) {
		t.Error("a copy from before our write passes as current")
	}
	if w.journal.Stale(w.open(t).Object) {
		t.Error("the current copy passes as stale")
	}
}

func TestAFailedWriteTellsNothing(t *testing.T) {
	w := newWorld(t, restart())
	w.fail = errors.New("no")
	r := w.open(t)
	r.Start()
	if err := r.Commit(t.Context()); err == nil {
		t.Fatal("the error is lost")
	}
	select {
	case e := <-w.events.Events:
		t.Errorf("an event was sent for what was not written: %s", e)
	default:
	}
}

// A write whose answer is lost may have come through; then the next pass tells what this one could not, and once.
func TestAWriteWithoutAnAnswerIsToldLater(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	r.Start()
	commit(t, r)
	<-w.events.Events
	r = w.open(t)
	r.Succeed("done")
	committed := r.Object.DeepCopyObject().(client.Object)
	w.fail = errors.New("the answer is lost")
	if err := r.Commit(t.Context()); err == nil {
		t.Fatal("no error")
	}
	w.fail = nil
	committed.(*opsv1.PerconaXtraDBOpsRequest).Status.Phase = opsv1.PhaseSuccessful
	if err := w.client.Status().Update(t.Context(), committed); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.open(t).TellLate()
	}
	if len(w.events.Events) != 1 || !strings.Contains(<-w.events.Events, "Successful") {
		t.Errorf("%d events", len(w.events.Events))
	}
}

// A write that was overtaken was not carried out: who overtook it has told what there was to tell.
func TestAWriteThatWasOvertakenIsNotTold(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	r.Start()
	w.fail = apierrors.NewConflict(schema.GroupResource{}, "again", errors.New("another was faster"))
	if err := r.Commit(t.Context()); err == nil {
		t.Fatal("no error")
	}
	w.fail = nil
	w.open(t).TellLate()
	if len(w.events.Events) != 0 {
		t.Errorf("%d events", len(w.events.Events))
	}
}

func TestPauseIsHeldByOneRequestOnly(t *testing.T) {
	db := &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "db"}}
	w := newWorld(t, db)
	mine := ops.Request{Kind: "PerconaXtraDBOpsRequest", Name: "again", UID: types.UID("u1")}
	other := mine
	other.UID = "u2"
	d := w.journal.OpenDatabase(db)
	d.Pause(mine)
	if !Holds(d.Object.DatabaseStatus(), mine) || Holds(d.Object.DatabaseStatus(), other) {
		t.Fatal("the holder is not told by its UID")
	}
	d.Resume(other, kubedbv1.OutcomeFailed, "X", "")
	if paused, byUser := Paused(d.Object.DatabaseStatus()); !paused || byUser {
		t.Fatal("a stranger opened the gate")
	}
	d.Resume(mine, kubedbv1.OutcomeSuccessful, "Y", "")
	if paused, _ := Paused(d.Object.DatabaseStatus()); paused {
		t.Fatal("the gate stays closed")
	}
	d.Set(kubedbv1.ConditionPaused, metav1.ConditionTrue, "Maintenance", "mine")
	d.Resume(mine, kubedbv1.OutcomeSuccessful, "Y", "")
	if paused, byUser := Paused(d.Object.DatabaseStatus()); !paused || !byUser {
		t.Error("a pause that a human set was removed")
	}
}

func TestAPauseOfSomebodyElseDoesNotCount(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	step := plan[0]
	r.Begin(step)
	w.clock = start.Add(time.Minute)
	r.Hold(step, "somebody works on it")
	if c := r.condition(step.Type); c.Status != metav1.ConditionFalse || c.Reason != opsv1.ReasonDatabasePaused {
		t.Errorf("a step that is held says %+v", c)
	}
	w.clock = start.Add(time.Hour)
	if since := r.Begin(step); !since.Equal(w.clock) {
		t.Errorf("the clock of a step that was held starts at %s, want %s", since, w.clock)
	}
	w.clock = start.Add(2 * time.Hour)
	if since := r.Begin(step); !since.Equal(start.Add(time.Hour)) {
		t.Errorf("the clock of a step under way was moved to %s", since)
	}
}

func TestRetriesAreCountedForEachStep(t *testing.T) {
	w := newWorld(t, restart())
	r := w.open(t)
	retries := func() int32 { return r.Object.RequestStatus().Retries }
	r.Begin(plan[0])
	r.Retry(plan[0], "again")
	if retries() != 1 {
		t.Fatalf("%d retries, want 1", retries())
	}
	r.Finish(plan[0], "")
	if retries() != 0 {
		t.Errorf("the next step starts with %d retries", retries())
	}
	r.Begin(plan[1])
	r.Retry(plan[1], "again")
	r.BeginUndo(opsv1.ReasonTimeout, "too long")
	if retries() != 0 {
		t.Errorf("the undo starts with %d retries", retries())
	}
}
