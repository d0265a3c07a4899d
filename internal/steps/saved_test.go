package steps

import (
	"encoding/json"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/drydock-db/drydock/ops"
)

func TestASavedRevisionThatMakesNoSenseIsAnError(t *testing.T) {
	set := func() map[string]*appsv1.StatefulSet { return map[string]*appsv1.StatefulSet{"leaf": {}} }
	side := func(spec string, workloads map[string]*appsv1.StatefulSet) State {
		return State{Spec: json.RawMessage(spec), Workloads: workloads}
	}
	for name, c := range map[string]struct {
		saved Saved
		good  bool
	}{
		"sound":                       {Saved{Before: side("{}", set()), After: side("{}", set()), Trust: set()}, true},
		"without a spec":              {Saved{Before: side("{}", set()), After: side("null", set())}, false},
		"with a list for a spec":      {Saved{Before: side("[]", set()), After: side("{}", set())}, false},
		"with a workload that is not": {Saved{Before: side("{}", set()), After: side("{}", map[string]*appsv1.StatefulSet{"leaf": nil})}, false},
		"with a group from nowhere":   {Saved{Before: side("{}", nil), After: side("{}", set())}, false},
		"without a group's workload": {Saved{
			Topology: ops.Topology{Groups: []ops.Group{{Name: "leaf"}}}, Before: side("{}", set()), After: side("{}", nil),
		}, false},
		"with trust from nowhere": {Saved{Before: side("{}", nil), After: side("{}", nil), Trust: set()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(c.saved)
			if err != nil {
				t.Fatal(err)
			}
			saved, err := ReadSaved(raw)
			if (err == nil) != c.good {
				t.Errorf("%v", err)
			}
			if err == nil {
				saved.Change() // must not panic
			}
		})
	}
	for _, raw := range []string{"", "{}", "null", `{"topology":1}`} {
		if _, err := ReadSaved([]byte(raw)); err == nil {
			t.Errorf("%q is taken for a saved revision", raw)
		}
	}
}

// FuzzReadSaved finds revisions that are read and cannot be worked with.
func FuzzReadSaved(f *testing.F) {
	f.Add([]byte(`{"before":{"spec":{},"workloads":{"leaf":{}}},"after":{"spec":{},"workloads":{"leaf":{}}},"trust":{"leaf":{}}}`))
	f.Add([]byte(`{"before":{"spec":{"a":null}},"after":{"spec":{}},"tls":{}}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		saved, err := ReadSaved(raw)
		if err != nil {
			return
		}
		saved.Change()
		saved.Secrets()
		for _, side := range []ops.Side{ops.Before, ops.Trust, ops.After} {
			_, _ = saved.Side(side)
			_, _ = saved.specPatch(side)
		}
	})
}
