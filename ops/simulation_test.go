package ops

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// patience is the number of ticks after which a rollout of the model counts as stuck.
const patience = 3000

// run rolls until Done or Failed and returns that and the texts that were told, each repetition once. lag is how many
// ticks old the operator's view may be; pods get into trouble that many times.
func (m *model) run(t *testing.T, lag, troubles int) (Outcome, []string) {
	t.Helper()
	var told []string
	at := 0
	m.past = nil
	for range patience {
		m.past = append(m.past, m.look())
		newest := len(m.past) - 1
		at = max(at, newest-lag) // a watch may be late, but never goes back
		if at < newest && m.random.IntN(2) == 0 {
			at++
		}
		roll := NextPod(m.past[at])
		if len(told) == 0 || told[len(told)-1] != roll.Outcome.Message {
			told = append(told, roll.Outcome.Message)
		}
		if roll.Outcome.Status != Waiting {
			return roll.Outcome, told
		}
		if roll.Evict != nil {
			m.evict(t, roll.Evict)
		}
		m.step()
		if troubles > 0 && m.random.IntN(20) == 0 {
			m.trouble()
			troubles--
		}
	}
	t.Fatalf("no end after %d ticks; the last texts: %q", patience, told[max(0, len(told)-5):])
	return Outcome{}, nil
}

// many runs a simulation under many seeds.
func many(t *testing.T, simulate func(t *testing.T, replicas int32, random *rand.Rand)) {
	t.Helper()
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 5))
		simulate(t, 1+random.Int32N(6), random)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestRolloutOfHealthyPods(t *testing.T) {
	many(t, func(t *testing.T, replicas int32, random *rand.Rand) {
		m := newModel(replicas, "old", random)
		m.apply("new")
		outcome, told := m.run(t, 0, 0)
		if !outcome.IsDone() || !m.settled() {
			t.Fatalf("%+v, settled %v", outcome, m.settled())
		}
		if m.refusals > 0 {
			t.Errorf("the budget had to refuse %d evictions", m.refusals)
		}
		if len(m.evictions) != int(replicas) {
			t.Errorf("%d evictions of %d pods", len(m.evictions), replicas)
		}
		if !slices.IsSortedFunc(m.evictions, func(a, b Pod) int { return int(b.Ordinal - a.Ordinal) }) {
			t.Errorf("not from the highest ordinal down: %v", m.evictions)
		}
		// One text for each pod, one before and one after: each costs a write.
		if len(told) > int(replicas)+2 {
			t.Errorf("%d texts for %d pods: %q", len(told), replicas, told)
		}
	})
}

// Pods die and fall ill while the operator sees all of it late: still no pod leaves twice, and the budget holds.
func TestRolloutInTroubleSeenLate(t *testing.T) {
	evicted := 0
	many(t, func(t *testing.T, replicas int32, random *rand.Rand) {
		m := newModel(replicas, "old", random)
		m.apply("new")
		m.step()
		for m.known != "new" { // the executor waits until it sees the workload that it applied
			m.step()
		}
		outcome, _ := m.run(t, random.IntN(8), random.IntN(6))
		if !outcome.IsDone() {
			t.Fatalf("%+v", outcome)
		}
		evicted += len(m.evictions)
		for i := range replicas {
			if pod := m.pods[i]; pod != nil && pod.Revision != "new" {
				t.Errorf("Done, but %s runs %s", pod.Name, pod.Revision)
			}
		}
	})
	if evicted == 0 {
		t.Error("nothing was ever evicted")
	}
}

// While the operator sees things as they are, it takes no pod down beside one that is down already, whatever happens.
func TestRolloutInTroubleTakesNoSecondPod(t *testing.T) {
	many(t, func(t *testing.T, replicas int32, random *rand.Rand) {
		m := newModel(replicas, "old", random)
		m.apply("new")
		outcome, _ := m.run(t, 0, random.IntN(8))
		if !outcome.IsDone() || !m.settled() || m.refusals > 0 {
			t.Fatalf("%+v, settled %v, %d refusals", outcome, m.settled(), m.refusals)
		}
	})
}

// A revision that does not start costs one pod, and the undo brings that one back and touches no other.
func TestRolloutOfABadRevisionAndItsUndo(t *testing.T) {
	many(t, func(t *testing.T, replicas int32, random *rand.Rand) {
		m := newModel(replicas, "old", random)
		m.starts = onlyGood
		before := m.look()
		m.apply("bad")
		outcome, _ := m.run(t, 0, 0)
		if outcome.Status != Failed || outcome.Reason != ReasonPodNotStarting || len(m.evictions) != 1 {
			t.Fatalf("%+v after %d evictions", outcome, len(m.evictions))
		}
		m.apply("old")
		outcome, _ = m.run(t, 0, 0)
		if !outcome.IsDone() || !m.settled() || len(m.evictions) != 1 {
			t.Fatalf("undo: %+v, settled %v, %d evictions", outcome, m.settled(), len(m.evictions))
		}
		after := m.look()
		for i := range replicas - 1 {
			if before.Pods[i].UID != after.Pods[i].UID {
				t.Errorf("%s was restarted without need", before.Pods[i].Name)
			}
		}
	})
}

// needsPeers lets pods of that revision start once so many of them run.
func needsPeers(revision string, quorum int32) func(*model, *Pod) bool {
	return func(m *model, starting *Pod) bool {
		running := int32(0)
		for _, pod := range m.pods {
			if pod.Revision == revision && !pod.Terminating {
				running++
			}
		}
		return starting.Revision == revision && running >= quorum
	}
}

// Every pod is broken, and none becomes Ready before a second one runs: a good revision repairs them all the same.
func TestRolloutRepairsBrokenPodsThatNeedEachOther(t *testing.T) {
	many(t, func(t *testing.T, replicas int32, random *rand.Rand) {
		m := newModel(replicas, "bad", random)
		for _, pod := range m.pods {
			pod.Ready, pod.CrashLooping, pod.Restarts, pod.Problem = false, true, 9, "unknown variable"
		}
		m.starts = needsPeers("good", min(2, replicas))
		m.apply("good")
		m.step()
		for m.known != "good" {
			m.step()
		}
		for ticks := 0; !m.settled(); ticks++ {
			if ticks > patience {
				t.Fatal("stuck")
			}
			for _, pod := range m.pods { // a lone pod waits for its peers here instead of dying
				if pod.Revision == "good" {
					pod.Restarts = 0
				}
			}
			if roll := NextPod(m.look()); roll.Evict != nil {
				m.evict(t, roll.Evict)
			}
			m.step()
		}
		if len(m.evictions) != int(replicas) || m.refusals > 0 {
			t.Errorf("%d evictions of %d pods, %d refusals", len(m.evictions), replicas, m.refusals)
		}
	})
}
