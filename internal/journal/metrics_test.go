package journal

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
)

// TestStepsAreCountedWhenTheyAreWritten follows steps of two pods through a retry and to a failure. A pass that could not be
// written is made again, and counts once.
func TestStepsAreCountedWhenTheyAreWritten(t *testing.T) {
	w := newWorld(t, restart())
	registry := prometheus.NewRegistry()
	w.journal.Metrics = NewMetrics(registry)
	first, second := ops.Step{Type: "StopPod--px-2"}, ops.Step{Type: "StopPod--px-1"}
	pass := func(do func(*Request)) {
		t.Helper()
		w.fail = errors.New("no")
		lost := w.open(t)
		do(lost)
		if err := lost.Commit(t.Context()); err == nil {
			t.Fatal("the error is lost")
		}
		w.fail = nil
		r := w.open(t)
		do(r)
		commit(t, r)
		commit(t, r)
	}
	pass(func(r *Request) {
		r.Start()
		r.Begin(first)
		r.Retry(first, "again")
	})
	w.clock = w.clock.Add(time.Minute)
	pass(func(r *Request) {
		r.Finish(first, "done")
		r.Begin(second)
		r.Retry(second, "again")
	})
	pass(func(r *Request) {
		r.GiveUp(second, opsv1.ReasonTimeout, "too long")
		r.BeginUndo(opsv1.ReasonTimeout, "too long")
	})
	want := map[string]float64{
		"drydock_opsrequest_step_duration_seconds{step=StopPod,type=Restart}": 1,
		"drydock_opsrequest_step_retries_total{step=StopPod,type=Restart}":    2,
		"drydock_opsrequest_step_failures_total{step=StopPod,type=Restart}":   1,
		"drydock_opsrequest_undos_total{reason=Timeout,type=Restart}":         1,
	}
	if diff := cmp.Diff(want, series(t, registry, "drydock_")); diff != "" {
		t.Error(diff)
	}
}

func TestPhasesAreCountedByKind(t *testing.T) {
	db := &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "db"}}
	w := newWorld(t, db)
	registry := prometheus.NewRegistry()
	w.journal.Metrics = NewMetrics(registry)
	d := w.journal.OpenDatabase(db)
	for _, ready := range []metav1.ConditionStatus{"True", "False", "True", "False", "False"} {
		d.Set(kubedbv1.ConditionProvisioned, metav1.ConditionTrue, "Because", "")
		d.Set(kubedbv1.ConditionReady, ready, "Because", "")
		if err := d.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]float64{
		"drydock_database_phase_transitions_total{from=,kind=PerconaXtraDB,to=Ready}":         1,
		"drydock_database_phase_transitions_total{from=Ready,kind=PerconaXtraDB,to=Critical}": 2,
		"drydock_database_phase_transitions_total{from=Critical,kind=PerconaXtraDB,to=Ready}": 1,
	}
	if diff := cmp.Diff(want, series(t, registry, "drydock_")); diff != "" {
		t.Error(diff)
	}
}
