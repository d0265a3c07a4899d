//go:build lab

package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/drydock-db/drydock/test/framework"
)

// sizes are numbers of pods.
var sizes = []int32{3, 5, 11}

func TestMain(m *testing.M) {
	logf.SetLogger(logr.Discard())
	code := m.Run()
	table.print(os.Stdout)
	os.Exit(code)
}

// BenchmarkOperation carries out operations and, where pods restart, rollouts of an equal StatefulSet in turn, so that
// both meet the same machine.
func BenchmarkOperation(b *testing.B) {
	for _, o := range operations {
		for _, pods := range sizes {
			b.Run(fmt.Sprintf("%s/pods=%d", o.name, pods), func(b *testing.B) { measure(b, o, pods) })
		}
	}
}

func measure(b *testing.B, o operation, pods int32) {
	row := row{operation: o.name, beyond: o.beyond, pods: int(pods), floor: o.floor(int(pods))}
	var s *site
	for b.Loop() {
		if s == nil {
			s = newSite(b, o, pods)
		}
		row.runs++
		row.took = append(row.took, s.carryOut(b, o.ask(row.runs), row.runs))
		if o.rolls > 0 {
			row.rollouts = append(row.rollouts, s.rollout(b, o.rolls))
		}
		if o.once {
			s.tell(b, &row)
			s = nil
		}
	}
	if s != nil {
		s.tell(b, &row)
	}
	row.count(o.on.resource)
	row.report(b)
	table = append(table, row)
}

// reactions are the times between a pod that became Ready and the next pod of the database that was told to leave, as a
// watcher sees them, after that version. The first pod of each operation follows no other and is left out. That of another
// group, or of a second round of restarts, follows one, although workloads may be written in between.
func reactions(story framework.Story, since uint64) []time.Duration {
	var all []time.Duration
	var ready time.Time
	leaving, up := map[types.UID]bool{}, map[types.UID]bool{}
	for _, e := range story.Events {
		pod := podOf(e)
		switch {
		case ended(e):
			ready = time.Time{}
		case pod == nil:
		case pod.DeletionTimestamp != nil && !leaving[pod.UID]:
			leaving[pod.UID] = true
			if !ready.IsZero() {
				all = append(all, e.Seen.Sub(ready))
			}
			ready = time.Time{}
		case framework.Ready(pod) && !up[pod.UID]:
			// A pod that was Ready before counts as such from then on: it is written to once more when it is evicted.
			if up[pod.UID] = true; e.Version > since {
				ready = e.Seen
			}
		}
	}
	return all
}

// podOf is the database's pod that the event is about; nil when it is about something else.
func podOf(e framework.Event) *corev1.Pod {
	pod, ok := e.Object.(*corev1.Pod)
	if !ok || !strings.HasPrefix(pod.Name, database+"-") {
		return nil
	}
	return pod
}

// ended tells whether a request is over.
func ended(e framework.Event) bool {
	r, ok := e.Object.(framework.Request)
	return ok && framework.Finished(r)
}
