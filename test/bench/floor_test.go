//go:build lab

package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/drydock-db/drydock/test/framework"
)

// What the benchmarks compare with is checked here, without a lab: a floor that is too high flatters the operator.
func TestFloor(t *testing.T) {
	// On three pods: eight writes that any operation has, and for each round of restarts two for each pod and one for each workload.
	const fixed, pods, restart = 8, 3, 2*3 + 1
	want := map[string]int{
		"Restart":                 fixed + restart,
		"Restart-Singlestore":     fixed + restart + 1,
		"Reconfigure":             fixed + restart + 2,
		"ReconfigureTLS-add":      fixed + restart + 1 + 3 + 2 + 1,
		"ReconfigureTLS-rotate":   fixed + restart + 3 + 2,
		"ReconfigureTLS-issuer":   fixed + 2*restart + 1 + 3 + 3,
		"ReconfigureTLS-remove":   fixed + restart + 2 + 3 + 3 + 1,
		"VolumeExpansion-Online":  fixed + pods + pods + 1 + 2,
		"VolumeExpansion-Offline": fixed + restart + 2*pods + 1 + 1,
	}
	for _, o := range operations {
		if got := o.floor(pods); got.total() != want[o.name] {
			t.Errorf("%s: %d and not %d: %s", o.name, got.total(), want[o.name], list(got, 1))
		}
	}
	if len(operations) != len(want) {
		t.Errorf("there are %d operations, and %d floors are expected", len(operations), len(want))
	}
}

func TestTable(t *testing.T) {
	calls := func(verb, resource, sub string, n int) []framework.Call {
		c := framework.Call{Verb: verb}
		c.Object.Resource, c.Object.Subresource = resource, sub
		return slices.Repeat([]framework.Call{c}, n)
	}
	r := row{operation: "Sample", pods: 3, runs: 2, floor: floor{"events": 2, "progress": 3}, beyond: "waiting"}
	r.calls = slices.Concat(calls("create", "events", "", 4), calls("patch", "singlestores", "status", 9),
		calls("get", "secrets", "", 3), calls("watch", "pods", "", 1))
	r.took, r.rollouts = []time.Duration{3 * time.Second}, []time.Duration{2 * time.Second}
	r.count(cluster.resource)
	var out strings.Builder
	rows{r}.print(&out)
	for _, want := range []string{
		"Sample 3 4.0 5 0.80 2.5 1.5 3s 2s 1.50 waiting",
		"Sample 3 writes: create events 2, patch singlestores/status 2",
		"floor: events 2, progress 3",
		"reads: get secrets 1.5",
	} {
		if got := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// Pods that are Ready when the measuring begins are written to when they are evicted; that does not make them Ready anew.
func TestTableReactions(t *testing.T) {
	var story framework.Story
	began := time.Now()
	add := func(ms int, uid string, ready, leaving bool) {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: database + "-0", UID: types.UID(uid)}}
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}}
		if ready {
			pod.Status.Conditions[0].Status = corev1.ConditionTrue
		}
		if leaving {
			pod.DeletionTimestamp = &metav1.Time{Time: began}
		}
		seen := began.Add(time.Duration(ms) * time.Millisecond)
		story.Events = append(story.Events, framework.Event{Object: pod, Version: uint64(len(story.Events) + 1), Seen: seen})
	}
	add(0, "one", true, false)
	add(0, "two", true, false)
	since := story.Version()
	add(100, "one", true, false) // the eviction's condition
	add(101, "one", true, true)
	add(600, "new one", false, false)
	add(700, "new one", true, false)
	add(730, "two", true, false)
	add(732, "two", true, true)
	if got := fmt.Sprint(reactions(story, since)); got != "[32ms]" {
		t.Errorf("reactions: %s", got)
	}
}
