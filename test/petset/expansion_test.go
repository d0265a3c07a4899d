//go:build lab

package petset

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/watch"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("Volumes of PetSets", func() {
	for _, s := range samples {
		It("grow online in place, around pods and sets that stay: "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s)
			since := a.now(ctx)
			before, generation := a.sets(ctx, 0), a.set(s.groups[0].workload).Generation
			a.ends(ctx, s.growth(a, "grow", opsv1.ModeOnline, "3Gi"), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(BeEmpty())
			a.hasSize(ctx, s, "3Gi")
			Expect(a.sets(ctx, 0)).To(Equal(before), "a PetSet was made again")
			Expect(a.deletions(ctx)).To(BeEmpty(), "a PetSet was deleted")
			Expect(a.set(s.groups[0].workload).Generation).To(Equal(generation+1), "one write changes the claim template")
			a.isUpToDate(ctx, s)

			since = a.now(ctx)
			a.ends(ctx, s.request(a, "restart", opsv1.Restart), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()), "no surprises are left behind")
			a.hasSize(ctx, s, "3Gi")
		})

		It("grow offline, one pod at a time: "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s)
			since := a.now(ctx)
			a.ends(ctx, s.growth(a, "grow", opsv1.ModeOffline, "3Gi"), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			a.grewWhileDown(since)
			a.hasSize(ctx, s, "3Gi")
			a.isUpToDate(ctx, s)
		})

		It("that the storage refuses while a pod is away bring the pod back, and can be finished: "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db, first := a.provision(ctx, s), s.pods()[0]
			Expect(a.Faults(ctx, `{claim: data-`+first+`, resize: infeasible, above: 2Gi}`)).To(Succeed())
			since := a.now(ctx)
			grow := s.growth(a, "grow", opsv1.ModeOffline, "3Gi")
			grow.RequestSpec().MaxRetries = new(int32(0))
			failed := framework.Condition(a.ends(ctx, grow, opsv1.PhaseFailed).RequestStatus().Conditions, opsv1.ConditionFailed)
			Expect(failed.Reason).To(Equal("ExpansionInfeasible"))
			Expect(failed.Message).To(ContainSubstring("refused by the storage: data-" + first))
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			Expect(a.restarted(ctx, since)).To(Equal([]string{first}), "the pod whose claim was to grow, and no other")
			a.hasSize(ctx, s, "1Gi")
			a.isUpToDate(ctx, s)

			Expect(a.Faults(ctx)).To(Succeed())
			since = a.now(ctx)
			// More than what was refused: that claim has been asked for it, and may grow at any time now.
			a.ends(ctx, s.growth(a, "finish", opsv1.ModeOffline, "4Gi"), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			a.hasSize(ctx, s, "4Gi")
			a.isUpToDate(ctx, s)
		})
	}

	It("grow offline across a crash of the operator while a pod is down", func(ctx SpecContext) {
		a := newArena(ctx)
		Expect(a.Faults(ctx, `{claim: "*", growAfter: 3s}`)).To(Succeed())
		a.provision(ctx, percona)
		since := a.now(ctx)
		grow := percona.growth(a, "grow", opsv1.ModeOffline, "3Gi")
		a.create(ctx, grow)
		first := percona.pods()[0]
		Eventually(ctx, func() bool {
			_, up := framework.Latest[*corev1.Pod](a.Record, first)
			return up
		}).Should(BeFalse(), first+" is not stopped")
		Expect(operator.Kill(ctx)).To(Succeed())
		time.Sleep(quiet)
		Expect(operator.Start(ctx, asked)).To(Succeed())
		a.comes(ctx, grow, opsv1.PhaseSuccessful)
		Expect(a.restarted(ctx, since)).To(Equal(percona.pods()))
		a.hasSize(ctx, percona, "3Gi")
		a.isUpToDate(ctx, percona)
	})

	It("that the storage refuses leave the set as it was, and a new request finishes them", func(ctx SpecContext) {
		a := newArena(ctx)
		Expect(a.Faults(ctx, `{claim: data-px-1, resize: infeasible, above: 2Gi}`)).To(Succeed())
		db := a.provision(ctx, percona)
		before := a.sets(ctx, 0)
		a.ends(ctx, percona.growth(a, "grow", opsv1.ModeOnline, "3Gi"), opsv1.PhaseFailed)
		a.isResumed(ctx, db)
		Expect(a.template("px")).To(Equal("1Gi"))
		Expect(a.Faults(ctx)).To(Succeed())
		a.ends(ctx, percona.growth(a, "finish", opsv1.ModeOnline, "4Gi"), opsv1.PhaseSuccessful)
		a.hasSize(ctx, percona, "4Gi")
		Expect(a.sets(ctx, 0)).To(Equal(before))
		Expect(a.restarted(ctx, 0)).To(BeEmpty())
	})
})

// deletions are the PetSets that were told to go.
func (a *arena) deletions(ctx context.Context) []string {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	var names []string
	for _, e := range a.Record.Story().Events {
		_, set := e.Object.(*petsetv1.PetSet)
		if set && (e.Type == watch.Deleted || e.Object.GetDeletionTimestamp() != nil) {
			names = append(names, e.Object.GetName())
		}
	}
	return names
}

// template is the size of the claims that a set makes.
func (a *arena) template(name string) string {
	GinkgoHelper()
	claims := a.set(name).Spec.VolumeClaimTemplates
	Expect(claims).To(HaveLen(1))
	return claims[0].Spec.Resources.Requests.Storage().String()
}

// hasSize expects that every claim has that capacity, every set makes such claims, and the sets are all there.
func (a *arena) hasSize(ctx context.Context, s sample, size string) {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	for _, pod := range s.pods() {
		claim, ok := framework.Latest[*corev1.PersistentVolumeClaim](a.Record, "data-"+pod)
		Expect(ok).To(BeTrue(), "there is no claim of "+pod)
		Expect(claim.Status.Capacity.Storage().Cmp(resource.MustParse(size))).To(Equal(0), "capacity of "+claim.Name)
	}
	for _, name := range s.workloads() {
		Expect(a.template(name)).To(Equal(size), "claim template of "+name)
	}
}

// grewWhileDown expects that each claim was asked to grow after its pod was told to leave and before it was back.
func (a *arena) grewWhileDown(since uint64) {
	GinkgoHelper()
	story := a.Record.Story()
	for _, down := range story.Takedowns() {
		if down.Version < since {
			continue
		}
		asked := story.First(func(e framework.Event) bool {
			claim, ok := e.Object.(*corev1.PersistentVolumeClaim)
			return ok && claim.Name == "data-"+down.Pod && claim.Spec.Resources.Requests.Storage().String() == "3Gi"
		})
		Expect(asked).To(And(BeNumerically(">", down.Version), BeNumerically("<", down.Back)), down.Pod)
	}
}
