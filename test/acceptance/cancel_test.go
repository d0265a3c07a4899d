//go:build lab

package acceptance

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

var _ = Describe("Deleting a request that runs", func() {
	for _, s := range []sample{cluster, percona} {
		It("takes back what a Reconfigure of "+s.title+" has done, opens the gate and leaves the outcome behind", func(ctx SpecContext) {
			a := newArena(ctx)
			g, db := s.last().name, s.database(a.Name)
			a.provision(ctx, db)
			since := a.now(ctx)
			a.faults(ctx, slow)
			r := s.reconfigure(a, "change", changes{g: inline("a.cnf", "wait_timeout = 60\n")})
			a.create(ctx, r)
			Eventually(ctx, func() []string { return a.Record.Story().Restarted(since) }).Should(HaveLen(1))
			Expect(a.Client.Delete(ctx, r)).To(Succeed())
			a.faults(ctx)
			Eventually(ctx, a.has(r, r.GetName())).Should(BeFalse(), "the request that was deleted")
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			a.now(ctx)
			a.isFree(s)
			last := a.lastOperation(s)
			Expect(last.UID).To(Equal(r.GetUID()))
			Expect(last.Outcome).To(Equal(kubedbv1.OutcomeCanceled))
			Expect(last.Message).To(ContainSubstring("undone"))
			Expect(configuration(see(a, db), g)).To(Equal(kubedbv1.ConfigurationSpec{}))
			a.runs(ctx, s, g, "wait_timeout", "")
			counts := map[string]int{}
			for _, pod := range a.restarted(ctx, since) {
				counts[pod]++
			}
			for pod, n := range counts {
				Expect(n).To(BeNumerically("<=", 2), "%s: once forward and once back", pod)
			}
			a.succeeds(ctx, s.restart(a, "next"))
		})
	}

	It("stops a Restart", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		since := a.now(ctx)
		a.faults(ctx, slow)
		r := percona.restart(a, "restart")
		a.create(ctx, r)
		Eventually(ctx, func() []string { return a.Record.Story().Restarted(since) }).Should(HaveLen(1))
		Expect(a.Client.Delete(ctx, r)).To(Succeed())
		a.faults(ctx)
		Eventually(ctx, a.has(r, r.GetName())).Should(BeFalse())
		a.becomes(ctx, db, kubedbv1.PhaseReady)
		a.now(ctx)
		a.isFree(percona)
		Expect(a.restarted(ctx, since)).NotTo(ContainElement("px-0"), "a Restart that was cancelled at its first pod went on to the last")
		Eventually(ctx, a.says(db, kubedbv1.ConditionPodsUpToDate)).Should(HaveField("Status", BeEquivalentTo("True")))
	})

	It("says on the request that it undoes, while it does", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		r := percona.restart(a, "restart")
		a.stopsAtFirstPod(ctx, percona, r)
		Expect(a.Client.Delete(ctx, r)).To(Succeed())
		Eventually(ctx, a.says(r, opsv1.ConditionSuccessful)).Should(HaveField("Reason", opsv1.ReasonUndoing))
		Expect(a.says(r, opsv1.ConditionFailed)()).To(HaveField("Reason", opsv1.ReasonCanceled))
		a.faults(ctx)
		Eventually(ctx, a.has(r, r.GetName())).Should(BeFalse())
		Eventually(ctx, a.told(r)).Should(Equal([]string{"Normal Starting", "Normal Canceling", "Normal Canceled"}))
	})
})
