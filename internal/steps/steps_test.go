package steps

import (
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/ops"
)

var roll = ops.RollPods{To: ops.After, Group: "perconaxtradb"}

// replace makes the successor of an evicted pod appear.
func (w *world) replace(t *testing.T, ordinal int32) {
	t.Helper()
	if err := w.client.Create(t.Context(), pod(ordinal, "new", true)); err != nil {
		t.Fatal(err)
	}
}

func TestRollPodsEvictsEachPodOnceHighestFirst(t *testing.T) {
	w := newWorld(t, budget("px", 3, 1))
	for n := int32(2); n >= 0; n-- {
		if out := w.do(t, roll); out.Status != ops.Waiting {
			t.Fatalf("%+v before the last pod is done", out)
		}
		for range 5 { // looking again while the pod is away evicts nobody
			w.do(t, roll)
		}
		w.replace(t, n)
	}
	if out := w.do(t, roll); out.Status != ops.Done {
		t.Errorf("%+v after the last pod", out)
	}
	want := []string{"evict px-2 old-2", "evict px-1 old-1", "evict px-0 old-0"}
	if !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
}

func TestABudgetThatBlocksIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		budgets []client.Object
		want    string
	}{
		"ours": {[]client.Object{budget("px", 3, 0)}, "PodDisruptionBudget px does not allow pod px-2 to leave: 3 of 3 pods are healthy and 2 are needed"},
		"two":  {[]client.Object{budget("px", 3, 1), budget("users", 3, 1)}, "pod px-2 is covered by more than one PodDisruptionBudget (px, users)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.budgets...)
			out := w.do(t, roll)
			if out.Reason != ReasonEvictionBlocked || !strings.HasPrefix(out.Message, c.want) {
				t.Errorf("%+v", out)
			}
			if len(w.writes) > 0 {
				t.Errorf("a call that must be refused was made: %v", w.writes)
			}
		})
	}
}

func TestABudgetThatLagsIsNotWorthAWord(t *testing.T) {
	w := newWorld(t, budget("px", 2, 0)) // it has not seen yet that the third pod is Ready
	if out := w.do(t, roll); out.Reason != ops.ReasonRestartingPods || len(w.writes) > 0 {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
}

func TestEvictionAnswers(t *testing.T) {
	group := schema.GroupResource{Resource: "pods"}
	for name, c := range map[string]struct {
		err  error
		want ops.Status
	}{
		"the pod is gone":       {apierrors.NewNotFound(group, "px-2"), ops.Waiting},
		"another pod by now":    {apierrors.NewConflict(group, "px-2", errors.New("uid")), ops.Waiting},
		"a budget said no":      {apierrors.NewTooManyRequests("budget", 1), ops.Waiting},
		"something else failed": {apierrors.NewInternalError(errors.New("no")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, budget("px", 3, 1))
			w.fail["evict px-2 old-2"] = c.err
			out, err := w.executor.Do(t.Context(), w.target, roll)
			if out.Status != c.want || (err != nil) != (c.want == "") {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

func TestRollPodsWaitsForTheWorkloadThatWasAskedFor(t *testing.T) {
	w := newWorld(t)
	w.target.Saved.After.Workloads["perconaxtradb"] = workload("another")
	out, err := w.executor.Do(t.Context(), w.target, roll)
	if err != nil || out.Reason != ops.ReasonWorkloadNotObserved {
		t.Errorf("%+v, %v", out, err)
	}
	if !slices.Equal(w.writes, []string{"apply"}) {
		t.Errorf("writes %v: the workload has to be applied and no pod evicted", w.writes)
	}
}

func TestEditDatabaseWritesOnce(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if out := w.do(t, ops.EditDatabase{To: ops.After}); !out.IsDone() {
			t.Fatalf("%+v", out)
		}
	}
	if !slices.Equal(w.writes, []string{"patch px"}) {
		t.Errorf("writes %v", w.writes)
	}
	w.do(t, ops.EditDatabase{To: ops.Before})
	w.open(t)
	if spec, err := SpecOf(w.target.Database.Object); err != nil || strings.Contains(string(spec), "halted") {
		t.Errorf("the spec is not as before: %s %v", spec, err)
	}
}

func TestVerifyFindsAPodWithAnotherSecret(t *testing.T) {
	w := newWorld(t)
	verify := ops.Verify{To: ops.After, Groups: []string{"perconaxtradb"}}
	if out := w.do(t, verify); out.Status != ops.Waiting {
		t.Fatalf("%+v although no pod is up to date", out)
	}
	for n := range int32(3) {
		p := pod(n, "new", true)
		if n == 1 {
			p.Spec.Volumes = []corev1.Volume{secretVolume("px-config-old")}
		}
		old := pod(n, "old", true)
		if err := w.client.Delete(t.Context(), old, client.Preconditions{UID: &old.UID}); err != nil {
			t.Fatal(err)
		}
		if err := w.client.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if out := w.do(t, verify); out.Status != ops.Failed || !strings.Contains(out.Message, "px-1") {
		t.Errorf("%+v", out)
	}
}

func TestExpandVolumesGrowsEachClaimOnce(t *testing.T) {
	w := newWorld(t)
	expand := ops.ExpandVolumes{Group: "perconaxtradb"}
	for range 3 {
		if out := w.do(t, expand); out.Status != ops.Waiting {
			t.Fatalf("%+v although nothing has grown", out)
		}
	}
	if want := []string{"patch data-px-0", "patch data-px-1", "patch data-px-2"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
	for n := range int32(3) {
		c := claim(n, "1Gi")
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
			t.Fatal(err)
		}
		c.Status.Capacity[corev1.ResourceStorage] = resource.MustParse("2Gi")
		if err := w.client.Status().Update(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if out := w.do(t, expand); !out.IsDone() {
		t.Errorf("%+v", out)
	}
}

func TestARefusedExpansionFailsWithTheReason(t *testing.T) {
	w := newWorld(t)
	w.fail["patch data-px-1"] = apierrors.NewForbidden(schema.GroupResource{Resource: "persistentvolumeclaims"}, "data-px-1", errors.New("exceeded quota"))
	out := w.do(t, ops.ExpandVolumes{Group: "perconaxtradb"})
	if out.Status != ops.Failed || !strings.Contains(out.Message, "data-px-1") {
		t.Errorf("%+v", out)
	}
}

func TestStopPodDetachesFirstAndStopsOnlyThatPod(t *testing.T) {
	w := newWorld(t)
	stop := ops.StopPod{Group: "perconaxtradb", Pod: "px-2"}
	for range 3 {
		w.do(t, stop)
	}
	if want := []string{"delete px set", "delete px-2 old-2"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
	if out := w.do(t, stop); !out.IsDone() {
		t.Errorf("%+v", out)
	}
}

func TestDetachLeavesAWorkloadWithTheRightClaims(t *testing.T) {
	w := newWorld(t)
	if out := w.do(t, ops.DetachWorkload{To: ops.Before, Group: "perconaxtradb"}); !out.IsDone() || len(w.writes) > 0 {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
	if out := w.do(t, ops.DetachWorkload{To: ops.After, Group: "perconaxtradb"}); out.IsDone() || len(w.writes) != 1 {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
}
