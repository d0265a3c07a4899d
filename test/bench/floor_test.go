//go:build lab

package bench

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/drydock-db/drydock/test/framework"
)

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
