//go:build lab

package acceptance

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("Restart", func() {
	for _, s := range samples {
		It("takes down each pod of "+s.title+" once, one at a time, in the safe order, by the Eviction API", func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			since := a.now(ctx)
			r := a.succeeds(ctx, s.restart(a, "restart"))
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			var before framework.Takedown
			for _, down := range a.Record.Story().Takedowns() {
				Expect(down.WasReady).To(BeTrue(), "%s was not Ready when it was told to leave", down.Pod)
				Expect(down.Evicted).To(BeTrue(), "%s did not leave by the Eviction API", down.Pod)
				Expect(down.Back).NotTo(BeZero(), "%s is not back", down.Pod)
				Expect(down.Version).To(BeNumerically(">", before.Back), "%s left before %s was back", down.Pod, before.Pod)
				before = down
			}
			for _, g := range s.groups {
				set, _ := framework.Latest[*appsv1.StatefulSet](a.Record, g.workload)
				Expect(set.Spec.Template.Annotations).To(HaveKeyWithValue(opsv1.AnnotationRestart, string(r.GetUID())))
			}
			a.isFree(s)
			Expect(a.phase(s.database(a.Name))()).To(Equal(kubedbv1.PhaseReady))
		})

		It("shows on "+s.title+" what it will do before it does it, and what became of it", func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			r := a.succeeds(ctx, s.restart(a, "restart"))
			a.now(ctx)
			r = see(a, r)
			steps := []string{"PauseDatabase", "UpdateWorkloads"}
			for _, g := range s.groups {
				steps = append(steps, "Restart"+g.title+"Pods")
			}
			steps = append(steps, "ResumeDatabase")
			first := firstWith(a.Record.Story(), r, "PauseDatabase")
			for _, step := range steps {
				Expect(condition(first, step).Type).NotTo(BeEmpty(), step+" was not announced")
				Expect(condition(r, step).Status).To(Equal(metav1.ConditionTrue), step)
			}
			Expect(condition(first, steps[len(steps)-1]).Status).To(Equal(metav1.ConditionUnknown))
			n := len(steps)
			Expect(r.RequestStatus().Progress).To(Equal(fraction(n, n)))
			Expect(r.GetFinalizers()).To(BeEmpty())
			Expect(r.GetOwnerReferences()).To(ConsistOf(HaveField("UID", see(a, s.database(a.Name)).GetUID())))
			last := a.lastOperation(s)
			Expect(last.UID).To(Equal(r.GetUID()))
			Expect(last.Outcome).To(Equal(kubedbv1.OutcomeSuccessful))
			Eventually(ctx, a.told(r)).Should(Equal([]string{"Normal Starting", "Normal Successful"}))
		})
	}

	It("needs no section, and takes an empty one", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, standalone.database(a.Name))
		a.succeeds(ctx, standalone.restart(a, "without"))
		a.succeeds(ctx, standalone.restart(a, "with", func(s *opsv1.OpsRequestSpec) { s.Restart = &opsv1.RestartSpec{} }))
		a.succeeds(ctx, standalone.restart(a, "always", always))
	})

	It("works on several databases of a namespace at the same time, and on the same names elsewhere", func(ctx SpecContext) {
		here, there := newArena(ctx), newArena(ctx)
		for _, a := range []*arena{here, there} {
			for _, s := range samples {
				a.create(ctx, s.database(a.Name))
			}
		}
		requests := map[*arena][]framework.Request{}
		for _, a := range []*arena{here, there} {
			for _, s := range samples {
				a.becomes(ctx, s.database(a.Name), kubedbv1.PhaseReady)
				requests[a] = append(requests[a], s.restart(a, "restart-"+s.name))
			}
		}
		since := map[*arena]uint64{here: here.now(ctx), there: there.now(ctx)}
		for _, a := range []*arena{here, there} {
			for _, r := range requests[a] {
				a.create(ctx, r)
			}
		}
		for _, a := range []*arena{here, there} {
			var all []string
			for i, r := range requests[a] {
				a.ends(ctx, r, opsv1.PhaseSuccessful)
				all = append(all, samples[i].pods()...)
			}
			Expect(a.restarted(ctx, since[a])).To(ConsistOf(all))
		}
	})

	It("takes a pod that is down already first: nothing more goes down for it", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		since := a.now(ctx)
		a.breakPod(ctx, "px-0")
		a.becomes(ctx, percona.database(a.Name), kubedbv1.PhaseCritical)
		a.succeeds(ctx, percona.restart(a, "repair", always))
		Expect(a.restarted(ctx, since)).To(Equal([]string{"px-0", "px-2", "px-1"}))
	})
})

// firstWith is the request as it was when it first had that condition.
func firstWith(s framework.Story, r framework.Request, kind string) framework.Request {
	for _, e := range s.Events {
		if now, ok := e.Object.(framework.Request); ok && now.GetUID() == r.GetUID() && condition(now, kind).Type != "" {
			return now
		}
	}
	Fail(r.GetName() + " never had the condition " + kind)
	return nil
}

// told are the events about a request, in order, as "type reason".
func (a *arena) told(r framework.Request) func() []string {
	return func() []string {
		var list []string
		for _, e := range a.Record.Story().Events {
			event, ok := e.Object.(*eventsv1.Event)
			if ok && event.Regarding.UID == r.GetUID() && e.Type == "ADDED" {
				list = append(list, event.Type+" "+strings.TrimSpace(event.Reason))
			}
		}
		return list
	}
}
