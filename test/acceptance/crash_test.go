//go:build lab

package acceptance

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// trial is an operation that crashes are tried on.
type trial struct {
	name string
	sample
	// request makes the operation of a round, pods are those that it has to restart, in order.
	request func(a *arena, round int) framework.Request
	pods    []string
	// check looks at the result of a round.
	check func(ctx SpecContext, a *arena, round int)

	arena  *arena
	since  uint64
	before int
	made   framework.Request
}

// crashPoints are how many recorded events after the request the operator is killed: from the first write to the last
// pod, closer together where an operation begins.
var crashPoints = []int{1, 4, 7, 11, 16, 22, 30, 40}

var _ = Describe("A crash of the operator", Serial, func() {
	It("in the middle of an operation changes nothing about how it ends: the same state, each pod restarted once", func(ctx SpecContext) {
		operator := newOperator(ctx)
		trials := []*trial{restartOf(cluster), restartOf(percona), reconfigureOf(cluster), reconfigureOf(percona), expandOf(percona)}
		for _, t := range trials {
			t.arena = newArena(ctx)
			t.arena.create(ctx, t.database(t.arena.Name))
		}
		for _, t := range trials {
			t.arena.becomes(ctx, t.database(t.arena.Name), kubedbv1.PhaseReady)
		}
		for round, point := range crashPoints {
			By(fmt.Sprintf("round %d: a crash after %d events", round, point))
			target := trials[round%len(trials)]
			for _, t := range trials {
				t.start(ctx, round)
			}
			target.reach(ctx, point)
			Expect(operator.Kill(ctx)).To(Succeed())
			Expect(operator.Start(ctx)).To(Succeed())
			if round%2 == 1 { // and once more, soon after it is back
				time.Sleep(time.Duration(round) * 100 * time.Millisecond)
				Expect(operator.Kill(ctx)).To(Succeed())
				Expect(operator.Start(ctx)).To(Succeed())
			}
			for _, t := range trials {
				t.finish(ctx, round)
			}
		}
	})

	It("in the middle of an undo changes nothing about how it ends either", func(ctx SpecContext) {
		operator := newOperator(ctx)
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		since := a.now(ctx)
		r := percona.reconfigure(a, "bad", changes{"perconaxtradb": inline("a.cnf", refused)}, retries(0))
		a.create(ctx, r)
		Eventually(ctx, a.says(r, opsv1.ConditionSuccessful)).Should(HaveField("Reason", opsv1.ReasonUndoing))
		Expect(operator.Kill(ctx)).To(Succeed())
		Expect(operator.Start(ctx)).To(Succeed())
		ended := a.ends(ctx, r, opsv1.PhaseFailed)
		Expect(condition(ended, opsv1.ConditionFailed).Reason).To(Equal("PodNotStarting"))
		a.becomes(ctx, percona.database(a.Name), kubedbv1.PhaseReady)
		Expect(a.restarted(ctx, since)).To(Equal([]string{"px-2", "px-2"}))
		a.runs(ctx, percona, "perconaxtradb", "lab_refuse_to_start", "")
		a.isFree(percona)
	})
})

func restartOf(s sample) *trial {
	return &trial{
		name: "Restart of " + s.title, sample: s, pods: s.pods(),
		request: func(a *arena, round int) framework.Request { return s.restart(a, fmt.Sprintf("round-%d", round)) },
		check:   func(SpecContext, *arena, int) {},
	}
}

func reconfigureOf(s sample) *trial {
	g := s.last().name
	return &trial{
		name: "Reconfigure of " + s.title, sample: s, pods: s.pods(g),
		request: func(a *arena, round int) framework.Request {
			return s.reconfigure(a, fmt.Sprintf("round-%d", round), changes{g: inline("a.cnf", fmt.Sprintf("wait_timeout = %d\n", 100+round))})
		},
		check: func(ctx SpecContext, a *arena, round int) { a.runs(ctx, s, g, "wait_timeout", fmt.Sprint(100+round)) },
	}
}

func expandOf(s sample) *trial {
	size := func(round int) string { return fmt.Sprintf("%dGi", 2+round) }
	return &trial{
		name: "VolumeExpansion of " + s.title, sample: s, pods: s.pods(),
		request: func(a *arena, round int) framework.Request {
			return s.expand(a, fmt.Sprintf("round-%d", round), opsv1.ModeOffline, size(round))
		},
		check: func(ctx SpecContext, a *arena, round int) { a.hasGrown(ctx, s, size(round)) },
	}
}

func (t *trial) start(ctx context.Context, round int) {
	GinkgoHelper()
	t.since, t.before = t.arena.now(ctx), t.arena.Record.Len()
	t.made = t.request(t.arena, round)
	t.arena.create(ctx, t.made)
}

// reach returns when so many events have followed the request, or when it has ended before.
func (t *trial) reach(ctx context.Context, events int) {
	GinkgoHelper()
	Eventually(ctx, func() bool {
		r, ok := t.arena.Record.See(t.made).(framework.Request)
		return t.arena.Record.Len()-t.before >= events || (ok && framework.Finished(r))
	}).WithPolling(2 * time.Millisecond).Should(BeTrue())
}

// finish expects of a round that crashed what is expected of one that did not.
func (t *trial) finish(ctx SpecContext, round int) {
	GinkgoHelper()
	a := t.arena
	r := a.ends(ctx, t.made, opsv1.PhaseSuccessful)
	Expect(a.restarted(ctx, t.since)).To(Equal(t.pods), "%s, round %d: the pods that were taken down", t.name, round)
	Expect(a.phase(t.database(a.Name))()).To(Equal(kubedbv1.PhaseReady), t.name)
	a.isFree(t.sample)
	for _, c := range r.RequestStatus().Conditions {
		if c.Type != opsv1.ConditionReconciling && c.Type != opsv1.ConditionStalled {
			Expect(c.Status).To(Equal(metav1.ConditionTrue), "%s, round %d: condition %s", t.name, round, c.Type)
		}
	}
	Eventually(ctx, a.says(t.database(a.Name), kubedbv1.ConditionPodsUpToDate)).Should(HaveField("Status", metav1.ConditionTrue), t.name)
	t.check(ctx, a, round)
	rendered := 0
	for _, s := range allSecrets(a) {
		if s.Type == corev1.SecretTypeOpaque && s.Immutable != nil {
			rendered++
		}
	}
	Expect(rendered).To(BeNumerically("<=", 3*len(t.groups)), "%s, round %d: rendered Secrets that nobody collects", t.name, round)
}
