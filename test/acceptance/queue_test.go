//go:build lab

package acceptance

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("Several requests about one database", func() {
	It("run one after the other, and the second says what it waits for", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		a.faults(ctx, slow)
		since := a.now(ctx)
		first, second := percona.restart(a, "a-first"), percona.reconfigure(a, "b-second", changes{"perconaxtradb": inline("a.cnf", "wait_timeout = 60\n")})
		a.create(ctx, first, second)
		a.waits(ctx, second, opsv1.ReasonWaitingForOther)
		Expect(a.says(second, opsv1.ConditionSuccessful)().Message).To(ContainSubstring("a-first"))
		a.faults(ctx)
		a.ends(ctx, first, opsv1.PhaseSuccessful)
		a.ends(ctx, second, opsv1.PhaseSuccessful)
		a.now(ctx)
		a.tookTurns(first, second)
		Expect(a.restarted(ctx, since)).To(Equal(append(percona.pods(), percona.pods()...)), "both were carried out in full")
	})

	It("finish in the order in which they were made, none skipped, ten of them", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, standalone.database(a.Name))
		since := a.now(ctx)
		var requests []framework.Request
		for i := range 10 {
			requests = append(requests, standalone.restart(a, fmt.Sprintf("restart-%02d", i)))
		}
		for _, r := range requests {
			a.create(ctx, r)
		}
		for _, r := range requests {
			a.ends(ctx, r, opsv1.PhaseSuccessful)
		}
		Expect(a.restarted(ctx, since)).To(HaveLen(10))
		a.tookTurns(requests...)
	})

	It("do not let one that waits for IfReady keep a correction with Always from running", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		a.breakPod(ctx, "px-0")
		a.becomes(ctx, db, kubedbv1.PhaseCritical)
		waiting := percona.reconfigure(a, "a-waits", changes{"perconaxtradb": inline("a.cnf", "wait_timeout = 60\n")})
		a.create(ctx, waiting)
		a.waits(ctx, waiting, opsv1.ReasonDatabaseNotReady)
		a.succeeds(ctx, percona.restart(a, "b-repair", always))
		a.ends(ctx, waiting, opsv1.PhaseSuccessful)
	})

	It("let the one that waits be deleted without a trace", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		first, second := percona.restart(a, "a-first"), percona.restart(a, "b-second")
		a.stopsAtFirstPod(ctx, percona, first)
		since := a.now(ctx)
		a.create(ctx, second)
		a.waits(ctx, second, opsv1.ReasonWaitingForOther)
		Expect(a.Client.Delete(ctx, second)).To(Succeed())
		Eventually(ctx, a.has(second, second.GetName())).Should(BeFalse())
		a.faults(ctx)
		a.ends(ctx, first, opsv1.PhaseSuccessful)
		Expect(a.restarted(ctx, since)).To(HaveLen(2), "the rest of the first one's pods, and no more")
	})
})

// tookTurns expects that each request began after the one before it had ended.
func (a *arena) tookTurns(requests ...framework.Request) {
	GinkgoHelper()
	story := a.Record.Story()
	var before uint64
	for _, r := range requests {
		of := func(is func(framework.Request) bool) func(framework.Event) bool {
			return func(e framework.Event) bool {
				now, ok := e.Object.(framework.Request)
				return ok && now.GetUID() == r.GetUID() && is(now)
			}
		}
		begun, ended := story.First(of(framework.Begun)), story.First(of(framework.Finished))
		Expect(begun).To(BeNumerically(">", before), "%s began before the one before it had ended", r.GetName())
		Expect(ended).NotTo(BeZero(), "%s has not ended", r.GetName())
		before = ended
	}
}
