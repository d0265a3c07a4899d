package steps

import (
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// newPetSetWorld is the same world with a PetSet in the place of the StatefulSet.
func newPetSetWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	if err := petsetv1.AddToScheme(w.client.Scheme()); err != nil {
		t.Fatal(err)
	}
	kind := apply.Workloads{PetSets: true}
	if err := w.client.Create(t.Context(), kind.Object(workload("new"))); err != nil {
		t.Fatal(err)
	}
	w.executor.Cluster.Workloads, w.executor.Apply.Workloads = kind, kind
	return w
}

func TestPetSetsAreNotDetachedToChangeTheirClaims(t *testing.T) {
	w := newPetSetWorld(t)
	if out := w.do(t, ops.DetachWorkload{To: ops.After, Group: "perconaxtradb"}); !out.IsDone() || len(w.writes) > 0 {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
	if out := w.do(t, ops.ApplyObjects{To: ops.After, Groups: []string{"perconaxtradb"}}); !out.IsDone() {
		t.Errorf("%+v", out)
	}
	if want := []string{"apply"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
}

func TestPetSetsAreDetachedWhileAPodIsStopped(t *testing.T) {
	w := newPetSetWorld(t)
	for range 3 {
		w.do(t, ops.StopPod{Group: "perconaxtradb", Pod: "px-2"})
	}
	if want := []string{"delete px set", "delete px-2 old-2"}; !slices.Equal(w.writes, want) {
		t.Errorf("writes %v, want %v", w.writes, want)
	}
	if kind := w.executor.Cluster.Workloads; w.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "px"}, kind.New()) == nil {
		t.Error("the PetSet is still there")
	}
}
