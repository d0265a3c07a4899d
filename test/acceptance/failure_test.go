//go:build lab

package acceptance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// Settings that the pretended database trips over.
const (
	refused    = "lab_refuse_to_start = 1\n"
	neverReady = "lab_never_ready = 1\n"
)

var _ = Describe("A configuration that keeps pods from starting", func() {
	for _, s := range samples {
		It("is undone on "+s.title+": Ready again, Failed said, and a corrected request works", func(ctx SpecContext) {
			a := newArena(ctx)
			g, db := s.last().name, s.database(a.Name)
			before := kubedbv1.ConfigurationSpec{Inline: map[string]string{"a.cnf": dialect(s, "[%]\nwait_timeout = 60\n")}}
			a.provision(ctx, configured(db, g, before))
			since := a.now(ctx)
			first := s.pods(g)[0]
			r := a.fails(ctx, s.reconfigure(a, "bad", changes{g: inline("a.cnf", refused)}, retries(0)), "PodNotStarting")
			Expect(condition(r, opsv1.ConditionFailed).Message).To(And(
				ContainSubstring(first), ContainSubstring("unknown variable 'lab_refuse_to_start'"), ContainSubstring("undone")))
			Expect(condition(r, "Restart"+s.last().title+"Pods").Status).NotTo(Equal(metav1.ConditionTrue))
			Expect(condition(r, "UndoResumeDatabase").Status).To(Equal(metav1.ConditionTrue))
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			Expect(a.restarted(ctx, since)).To(Equal([]string{first, first}), "once forward, once back, and no other pod")
			Expect(configuration(see(a, db), g)).To(Equal(before))
			a.runs(ctx, s, g, "wait_timeout", "60")
			a.isFree(s)
			Expect(a.lastOperation(s).Outcome).To(Equal(kubedbv1.OutcomeFailed))
			Expect(a.listed(ctx, r)).To(ContainElements("Failed", "PodNotStarting"))
			Expect(a.listed(ctx, db)).To(ContainElements("Ready", "Failed", "PodNotStarting"))
			Eventually(ctx, a.told(r)).Should(Equal([]string{"Normal Starting", "Warning Undoing", "Warning Failed"}))

			a.succeeds(ctx, s.reconfigure(a, "good", changes{g: inline("a.cnf", "wait_timeout = 70\n")}))
			a.runs(ctx, s, g, "wait_timeout", "70")
		})
	}

	It("is tried again as often as maxRetries says, and no more often", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		r := a.fails(ctx, percona.reconfigure(a, "bad", changes{"perconaxtradb": inline("a.cnf", refused)}, retries(1)), "PodNotStarting")
		counts := map[int32]bool{}
		for _, e := range a.Record.Story().Events {
			if seen, ok := e.Object.(framework.Request); ok && seen.GetName() == r.GetName() {
				counts[seen.RequestStatus().Retries] = true
			}
		}
		Expect(counts).To(Equal(map[int32]bool{0: true, 1: true}), "how often the step was tried again")
		Expect(r.RequestStatus().Retries).To(BeZero(), "an undo has retries of its own")
		a.becomes(ctx, percona.database(a.Name), kubedbv1.PhaseReady)
	})

	It("is undone in every group that was touched, when the second one fails", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, cluster.database(a.Name))
		since := a.now(ctx)
		a.fails(ctx, cluster.reconfigure(a, "bad", changes{
			"leaf": inline("a.cnf", "wait_timeout = 60\n"), "aggregator": inline("a.cnf", refused),
		}, retries(0)), "PodNotStarting")
		a.becomes(ctx, cluster.database(a.Name), kubedbv1.PhaseReady)
		a.runs(ctx, cluster, "leaf", "wait_timeout", "")
		a.runs(ctx, cluster, "aggregator", "lab_refuse_to_start", "")
		Expect(a.restarted(ctx, since)).To(ConsistOf("sdb-leaf-1", "sdb-leaf-0", "sdb-aggregator-1",
			"sdb-aggregator-1", "sdb-leaf-1", "sdb-leaf-0"), "each pod that was touched twice, the master aggregator never")
	})
})

var _ = Describe("A step that takes too long", func() {
	It("fails with Timeout and is undone", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		began := time.Now()
		r := a.fails(ctx, percona.reconfigure(a, "slow", changes{"perconaxtradb": inline("a.cnf", neverReady)}, within(4*time.Second), retries(0)),
			opsv1.ReasonTimeout)
		Expect(time.Since(began)).To(BeNumerically(">=", 4*time.Second))
		Expect(condition(r, opsv1.ConditionFailed).Message).To(And(ContainSubstring("RestartPods"), ContainSubstring("4s"), ContainSubstring("px-2")))
		a.becomes(ctx, db, kubedbv1.PhaseReady)
		a.isFree(percona)
		Expect(configuration(see(a, db), "perconaxtradb")).To(Equal(kubedbv1.ConfigurationSpec{}))
	})

	It("ends with UndoIncomplete when it cannot be undone either: the gate is open, the database says Degraded until something succeeds", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		a.faults(ctx, held)
		a.fails(ctx, percona.restart(a, "hopeless", within(3*time.Second), retries(0)), opsv1.ReasonUndoIncomplete)
		a.now(ctx)
		a.isFree(percona)
		Expect(a.says(db, kubedbv1.ConditionDegraded)().Status).To(Equal(metav1.ConditionTrue))
		Expect(a.lastOperation(percona).Reason).To(Equal(opsv1.ReasonUndoIncomplete))

		// The database is not Ready; a correction runs all the same, because the last operation failed.
		repair := percona.restart(a, "repair")
		a.create(ctx, repair)
		Eventually(ctx, a.holds(percona, repair)).Should(BeTrue(), "a correction waits for a database that it is to correct")
		a.faults(ctx)
		a.ends(ctx, repair, opsv1.PhaseSuccessful)
		a.becomes(ctx, db, kubedbv1.PhaseReady)
		Eventually(ctx, a.says(db, kubedbv1.ConditionDegraded)).ShouldNot(HaveField("Status", metav1.ConditionTrue))
	})

	It("is corrected by an operation of another type: an expansion runs although the database is not Ready", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		a.faults(ctx, held)
		change := changes{"perconaxtradb": inline("a.cnf", "wait_timeout = 60\n")}
		a.fails(ctx, percona.reconfigure(a, "hopeless", change, within(5*time.Second), retries(0)), opsv1.ReasonUndoIncomplete)
		Eventually(ctx, func() bool { // nobody takes it away any more, but it may still be on its way out or in
			pod, ok := framework.Latest[*corev1.Pod](a.Record, "px-2")
			return ok && pod.DeletionTimestamp == nil
		}).Should(BeTrue(), "px-2")
		a.breakPod(ctx, "px-2") // its successor will be well
		since := a.now(ctx)
		a.isFree(percona)
		Expect(a.phase(db)()).To(Equal(kubedbv1.PhaseCritical))
		Expect(a.says(db, kubedbv1.ConditionDegraded)().Status).To(Equal(metav1.ConditionTrue))

		// With apply IfReady: it need not wait for a database that the last operation has left like that.
		a.succeeds(ctx, percona.expand(a, "grow", opsv1.ModeOffline, "5Gi"))
		a.hasGrown(ctx, percona, "5Gi")
		Expect(a.restarted(ctx, since)).To(Equal(percona.pods()))
		a.isSettled(ctx, percona)
		Expect(a.says(db, kubedbv1.ConditionDegraded)()).To(BeZero())
		Expect(configuration(see(a, db), "perconaxtradb")).To(Equal(kubedbv1.ConfigurationSpec{}))
		a.runs(ctx, percona, "perconaxtradb", "wait_timeout", "")
	})
})
