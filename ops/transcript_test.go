package ops

import (
	"fmt"
	"strings"
	"testing"
)

// story is a rollout that is written down tick by tick. At the ticks named, something happens.
type story struct {
	name, about string
	replicas    int32
	start       string
	prepare     func(*model)
	happens     map[int]event
}

type event struct {
	text string
	do   func(*model)
}

func applied(revision string) event {
	return event{"the workload now asks for " + revision, func(m *model) { m.apply(revision) }}
}

func onlyGood(_ *model, pod *Pod) bool { return pod.Revision != "bad" }

var stories = []story{
	{name: "healthy", about: "Three healthy pods restart, the highest ordinal first.", replicas: 3, start: "old",
		happens: map[int]event{0: applied("new")}},
	{name: "unready-first", about: "A pod that is not Ready goes first: that takes nothing more down.", replicas: 3, start: "old",
		prepare: func(m *model) {
			m.pods[0].Ready = false
			m.starts = func(_ *model, pod *Pod) bool { return pod.Revision == "new" }
		},
		happens: map[int]event{0: applied("new")}},
	{name: "bad-then-undone", about: "A revision that does not start costs one pod; the undo brings it back and touches no other.", replicas: 3, start: "old",
		prepare: func(m *model) { m.starts = onlyGood },
		happens: map[int]event{0: applied("bad"), 8: applied("old")}},
	{name: "repair", about: "All pods are broken; a good revision repairs them one after the other.", replicas: 3, start: "bad",
		prepare: func(m *model) {
			m.starts = onlyGood
			for _, pod := range m.pods {
				pod.Ready, pod.CrashLooping, pod.Restarts, pod.Problem = false, true, 7, "unknown variable"
			}
		},
		happens: map[int]event{0: applied("good")}},
	{name: "pod-dies", about: "A pod dies by itself in the middle. It comes back up to date and does not restart again.", replicas: 3, start: "old",
		happens: map[int]event{0: applied("new"), 3: {"x-0 dies", func(m *model) { m.pods[0].Terminating = true }}}},
	{name: "updated-pod-falls-ill", about: "While a pod that is done is not Ready, no other leaves.", replicas: 3, start: "old",
		happens: map[int]event{
			0: applied("new"),
			6: {"x-2 is not Ready any more", func(m *model) {
				m.pods[2].Ready = false
				m.starts = func(_ *model, pod *Pod) bool { return pod.Ordinal != 2 }
			}},
			8: {"x-2 can start again", func(m *model) { m.starts = nil }},
		}},
	{name: "unschedulable", about: "A pod that cannot be scheduled says so while it is waited for.", replicas: 2, start: "old",
		prepare: func(m *model) {
			m.starts = func(_ *model, pod *Pod) bool {
				pod.Unschedulable, pod.Problem = true, "0/3 nodes are available"
				return false
			}
		},
		happens: map[int]event{0: applied("new"), 6: {"a node joins", func(m *model) { m.starts = nil }}}},
	{name: "single", about: "A group of one pod.", replicas: 1, start: "old", happens: map[int]event{0: applied("new")}},
	{name: "nothing-to-do", about: "All pods are up to date already.", replicas: 2, start: "old"},
}

func TestRolloutStories(t *testing.T) {
	names := map[string]bool{}
	for _, s := range stories {
		names[s.name] = true
		t.Run(s.name, func(t *testing.T) { golden(t, "rollouts/"+s.name, s.tell(t)) })
	}
	noStrays(t, "rollouts", names)
}

func (s story) tell(t *testing.T) string {
	m := newModel(s.replicas, s.start, nil)
	if s.prepare != nil {
		s.prepare(m)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", s.about)
	for tick := range 40 {
		if e, ok := s.happens[tick]; ok {
			fmt.Fprintf(&b, "          -- %s --\n", e.text)
			e.do(m)
		}
		look := m.look()
		roll := NextPod(look)
		fmt.Fprintf(&b, "tick %2d   %s\n          %s\n", tick, show(look), told(roll.Outcome))
		if roll.Evict != nil {
			fmt.Fprintf(&b, "          evict %s\n", roll.Evict.Name)
			m.evict(t, roll.Evict)
		}
		if roll.Outcome.IsDone() && tick > s.lastEvent() {
			return b.String()
		}
		m.step()
	}
	t.Fatalf("no end:\n%s", b.String())
	return ""
}

func (s story) lastEvent() int {
	last := -1
	for tick := range s.happens {
		last = max(last, tick)
	}
	return last
}

// show is a workload in one line.
func show(w Workload) string {
	pods := map[int32]Pod{}
	for _, p := range w.Pods {
		pods[p.Ordinal] = p
	}
	var parts []string
	for i := range w.Replicas {
		p, ok := pods[i]
		state := "starting"
		switch {
		case !ok:
			parts = append(parts, fmt.Sprintf("x-%d %-13s", i, "gone"))
			continue
		case p.Terminating:
			state = "leaving"
		case p.Unschedulable:
			state = "unplaced"
		case p.CrashLooping:
			state = "crashing"
		case p.Ready:
			state = "Ready"
		}
		parts = append(parts, fmt.Sprintf("x-%d %-4s %-8s", i, p.Revision, state))
	}
	return strings.TrimRight(strings.Join(parts, " | "), " ")
}
