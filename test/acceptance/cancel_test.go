//go:build lab

package acceptance

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
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
			Expect(a.listed(ctx, db)).To(ContainElements("Ready", "Canceled", "Canceled"), "outcome and reason")
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

	for _, s := range []sample{cluster, percona} {
		It("leaves what an Online expansion of "+s.title+" has grown, and a new request finishes the others", func(ctx SpecContext) {
			a := newArena(ctx)
			db, group := s.database(a.Name), s.last()
			a.provision(ctx, db)
			stuck := s.pods(group.name)[0]
			a.faults(ctx, "{claim: data-"+stuck+", resize: never}")
			since := a.now(ctx)
			r := s.expand(a, "grow", opsv1.ModeOnline, "5Gi")
			a.create(ctx, r)
			step := "Expand" + group.title + "Volumes"
			var grown []string
			for _, pod := range slices.Sorted(slices.Values(s.pods(group.name))) {
				if pod != stuck {
					grown = append(grown, "data-"+pod)
				}
			}
			told := fmt.Sprintf("%d of %d claims have 5Gi: %s; growing: data-%s has 1Gi", len(grown), group.replicas, strings.Join(grown, ", "), stuck)
			Eventually(ctx, a.says(r, step)).Should(HaveField("Message", told))
			Expect(a.Client.Delete(ctx, r)).To(Succeed())
			Eventually(ctx, a.has(r, r.GetName())).Should(BeFalse(), "the request that was deleted")
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			a.now(ctx)
			a.isFree(s)
			Expect(a.lastOperation(s)).To(And(
				HaveField("UID", r.GetUID()), HaveField("Name", "grow"), HaveField("Outcome", kubedbv1.OutcomeCanceled),
				HaveField("Reason", opsv1.ReasonCanceled), HaveField("Message", And(ContainSubstring("was deleted"), ContainSubstring(step+": "+told)))))
			end := a.atLast(r)
			Expect(condition(end, opsv1.ConditionFailed)).To(And(
				HaveField("Status", metav1.ConditionTrue), HaveField("Reason", opsv1.ReasonCanceled)))
			Expect(condition(end, step).Message).To(Equal(told), "which claims have grown is told to the end")
			// There is no more to undo than the pause, so that the undo has ended when it would be told of.
			Eventually(ctx, a.told(r)).Should(Equal([]string{"Normal Starting", "Normal Canceled"}))
			a.keepsSizes(s)
			for _, pod := range s.pods() {
				Expect(a.capacity(pod)).To(Equal(map[bool]string{true: "1Gi", false: "5Gi"}[pod == stuck]), "volume of "+pod)
			}

			a.faults(ctx)
			a.succeeds(ctx, s.expand(a, "finish", opsv1.ModeOnline, "5Gi"))
			a.hasGrown(ctx, s, "5Gi")
			Expect(a.restarted(ctx, since)).To(BeEmpty())
			a.isSettled(ctx, s)
		})
	}

	It("says on the request that it undoes, while it does", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		r := percona.restart(a, "restart")
		a.stopsAtFirstPod(ctx, percona, r)
		Expect(a.Client.Delete(ctx, r)).To(Succeed())
		Eventually(ctx, a.says(r, opsv1.ConditionSuccessful)).Should(HaveField("Reason", opsv1.ReasonCanceling))
		Expect(a.says(r, opsv1.ConditionFailed)()).To(HaveField("Reason", opsv1.ReasonCanceled))
		a.faults(ctx)
		Eventually(ctx, a.has(r, r.GetName())).Should(BeFalse())
		Eventually(ctx, a.told(r)).Should(Equal([]string{"Normal Starting", "Normal Canceling", "Normal Canceled"}))
	})
})

// atLast is a request as it was at the end, also one that is gone.
func (a *arena) atLast(r framework.Request) framework.Request {
	GinkgoHelper()
	var last framework.Request
	for _, e := range a.Record.Story().Events {
		if seen, ok := e.Object.(framework.Request); ok && seen.GetUID() == r.GetUID() {
			last = seen
		}
	}
	Expect(last).NotTo(BeNil(), "there never was a request "+r.GetName())
	return last
}
