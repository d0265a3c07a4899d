package ops

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// seen is a workload x with pods of those looks, from ordinal 0 up. The letters: o out of date, u up to date; then
// R Ready, n not Ready, T terminating, C crash looping, c crash looping but not for long, U unschedulable, P pulling no image;
// "-" is no pod.
func seen(looks ...string) Workload {
	w := Workload{Name: "x", Replicas: int32(len(looks)), Generation: 2, ObservedGeneration: 2, UpdateRevision: "new"}
	for i, look := range looks {
		if look == "-" {
			continue
		}
		p := Pod{Name: Group{Workload: "x"}.Pod(int32(i)), UID: types.UID(look), Ordinal: int32(i), Revision: "old"}
		if look[0] == 'u' {
			p.Revision = "new"
		}
		switch look[1] {
		case 'R':
			p.Ready = true
		case 'T':
			p.Ready, p.Terminating = true, true
		case 'C':
			p.CrashLooping, p.Restarts, p.Problem = true, 3, "unknown variable"
		case 'c':
			p.CrashLooping, p.Restarts, p.Problem = true, 2, "unknown variable"
		case 'U':
			p.Unschedulable, p.Problem = true, "0/3 nodes are available"
		case 'P':
			p.Problem = "ImagePullBackOff"
		}
		w.Pods = append(w.Pods, p)
	}
	return w
}

// A pod that keeps dying fails a rollout, and once more only when it has died once more.
func TestTriedAgain(t *testing.T) {
	began := time.Unix(1e9, 0)
	w := seen("oR", "uC")
	w.Pods[1].Died = began
	if got := NextPod(w).Outcome.Status; got != Failed {
		t.Errorf("%s at the first try, want %s", got, Failed)
	}
	w.Tried = began // times are in seconds
	if got := NextPod(w).Outcome; got.Status != Waiting || !strings.Contains(got.Message, "unknown variable") {
		t.Errorf("%+v when nothing has died since, want %s and what the pod says", got, Waiting)
	}
	w.Pods[1].Died = w.Tried.Add(time.Second)
	if got := NextPod(w).Outcome.Status; got != Failed {
		t.Errorf("%s when it has died again, want %s", got, Failed)
	}
}

// The turn of a pod begins when the last one that is done became Ready; pods that are still to come say nothing.
func TestTurn(t *testing.T) {
	began := time.Unix(1e9, 0)
	w := seen("oR", "un", "uR", "uR")
	for i := range w.Pods {
		w.Pods[i].ReadySince = began.Add(-time.Duration(i) * time.Minute)
	}
	if turn := NextPod(w).Turn; turn != w.Pods[2].ReadySince {
		t.Errorf("turn since %v, want %v", turn, w.Pods[2].ReadySince)
	}
	w.Pods[1].Created = began.Add(time.Minute) // by the API server's clock, when the clocks of the nodes are behind
	if turn := NextPod(w).Turn; turn != w.Pods[1].Created {
		t.Errorf("turn since %v, want %v", turn, w.Pods[1].Created)
	}
	if turn := NextPod(seen("oR", "oR")).Turn; !turn.IsZero() {
		t.Errorf("turn since %v before the first is done", turn)
	}
}

func TestNextPod(t *testing.T) {
	for _, c := range []struct {
		name    string
		seen    Workload
		evict   string
		want    string
		updated int
	}{
		{"no pods wanted", seen(), "", "Done: there are no pods to restart", 0},
		{"all done", seen("uR", "uR", "uR"), "", "Done: restarted 3 of 3 pods", 3},
		{"the highest ordinal first", seen("oR", "oR", "oR"), "x-2", "Waiting RestartingPods: restarting x-2, 0 of 3 done", 0},
		{"the same words while it leaves", seen("oR", "oR", "oT"), "", "Waiting RestartingPods: restarting x-2, 0 of 3 done", 0},
		{"the same words while it is away", seen("oR", "oR", "-"), "", "Waiting RestartingPods: restarting x-2, 0 of 3 done", 0},
		{"the same words while it starts", seen("oR", "oR", "un"), "", "Waiting RestartingPods: restarting x-2, 0 of 3 done", 0},
		{"then the next", seen("oR", "oR", "uR"), "x-1", "Waiting RestartingPods: restarting x-1, 1 of 3 done", 1},
		{"the last", seen("oR", "uR", "uR"), "x-0", "Waiting RestartingPods: restarting x-0, 2 of 3 done", 2},
		{"an unready one first", seen("oR", "on", "oR"), "x-1", "Waiting RestartingPods: restarting x-1, 0 of 3 done", 0},
		{"of several unready the highest", seen("on", "on", "oR"), "x-1", "Waiting RestartingPods: restarting x-1, 0 of 3 done", 0},
		{"a crash looping one of the old revision is no failure but the first to go", seen("oC", "oR", "oR"), "x-0", "Waiting RestartingPods: restarting x-0, 0 of 3 done", 0},
		{"no second one while one is away", seen("on", "oR", "-"), "", "Waiting RestartingPods: restarting x-2, 0 of 3 done", 0},
		{"no second one while one leaves", seen("on", "oT", "uR"), "", "Waiting RestartingPods: restarting x-1, 1 of 3 done", 1},
		{"one that does not run may go while one starts that may need it", seen("oR", "oC", "un"), "x-1", "Waiting RestartingPods: restarting x-1, 0 of 3 done", 0},
		{"so may one without its image", seen("oR", "oP", "un"), "x-1", "Waiting RestartingPods: restarting x-1, 0 of 3 done", 0},
		{"so may one without a node", seen("oR", "oU", "un"), "x-1", "Waiting RestartingPods: restarting x-1, 0 of 3 done", 0},
		{"one that runs may not, though unready: it may feed the other", seen("oR", "on", "un"), "", "Waiting RestartingPods: restarting x-2, 0 of 3 done", 0},
		{"one that does not run goes before one that is unready", seen("oC", "on", "oR"), "x-0", "Waiting RestartingPods: restarting x-0, 0 of 3 done", 0},
		{"a problem that may pass is not told", seen("oR", "uP"), "", "Waiting RestartingPods: restarting x-1, 0 of 2 done", 0},
		{"a Ready one may not", seen("uR", "oR", "un"), "", "Waiting RestartingPods: restarting x-2, 1 of 3 done", 1},
		{"an up-to-date one that leaves is not done", seen("uR", "uT"), "", "Waiting RestartingPods: restarting x-1, 1 of 2 done", 1},
		{"trouble that lasts is told", seen("oR", "oR", "uU"), "", "Waiting RestartingPods: restarting x-2, 0 of 3 done: 0/3 nodes are available", 0},
		{"a crash may pass", seen("oR", "uc"), "", "Waiting RestartingPods: restarting x-1, 0 of 2 done: unknown variable", 0},
		{"a pod that does not start", seen("oR", "oR", "uC"), "", "Failed PodNotStarting: pod x-2 does not start: unknown variable", 0},
		{"a pod that does not start stops even a repair", seen("oR", "oC", "uC"), "", "Failed PodNotStarting: pod x-2 does not start: unknown variable", 0},
		{"the change is not observed", with(seen("uR", "uR"), func(w *Workload) { w.ObservedGeneration = 1 }), "", "Waiting WorkloadNotObserved: waiting for the controller of x to see its latest change", 0},
		{"no revision yet", with(seen("uR"), func(w *Workload) { w.UpdateRevision = "" }), "", "Waiting WorkloadNotObserved: waiting for the controller of x to see its latest change", 0},
		{"no problem to tell", with(seen("uC"), func(w *Workload) { w.Pods[0].Problem = " " }), "", "Failed PodNotStarting: pod x-0 does not start", 0},
		{"a pod beyond the replicas does not count", with(seen("uR", "oR"), func(w *Workload) { w.Replicas = 1 }), "", "Done: restarted 1 of 1 pods", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := NextPod(c.seen)
			if text := told(got.Outcome); text != c.want {
				t.Errorf("outcome %q, want %q", text, c.want)
			}
			evict := ""
			if got.Evict != nil {
				evict = got.Evict.Name
				if got.Evict.UID == "" {
					t.Error("the eviction has no UID to be conditional on")
				}
			}
			if evict != c.evict {
				t.Errorf("evicts %q, want %q", evict, c.evict)
			}
			if got.Updated != c.updated {
				t.Errorf("%d updated, want %d", got.Updated, c.updated)
			}
			if c.seen.Replicas > 0 && (got.Outcome.IsDone() != (got.Updated == int(c.seen.Replicas))) {
				t.Errorf("Done is %v with %d of %d pods updated", got.Outcome.IsDone(), got.Updated, c.seen.Replicas)
			}
		})
	}
}

func with(w Workload, change func(*Workload)) Workload {
	change(&w)
	return w
}

// told is an outcome in one line.
func told(o Outcome) string {
	if o.Reason == "" {
		return string(o.Status) + ": " + o.Message
	}
	return string(o.Status) + " " + o.Reason + ": " + o.Message
}
