//go:build lab

package acceptance

import (
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// The steps that KubeDB's overview pages number, one after the other, in the order of the API server's own numbering of
// writes.
var _ = Describe("The steps of the overview pages", func() {
	for _, s := range samples {
		It("come true for reconfiguring "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			g := s.last()
			By("1, 2, 3: a user creates the database; the operator finds it and creates workloads, Secrets and Services")
			a.provision(ctx, s.database(a.Name))
			By("4, 5: the user creates a request; the operator finds it")
			since := a.now(ctx)
			r := s.reconfigure(a, "change", changes{g.name: inline("a.cnf", "max_connections = 250\n")})
			a.stopsAtFirstPod(ctx, s, r)
			By("6: the database is paused; nothing else is done to it during the operation")
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: s.name}}
			Expect(a.Client.Delete(ctx, service)).To(Succeed())
			Consistently(ctx, a.has(&corev1.Service{}, s.name), time.Second).Should(BeFalse(), "a Service was made during the operation")
			a.faults(ctx)
			a.ends(ctx, r, opsv1.PhaseSuccessful)
			By("9: the database is resumed, and provisioning goes on")
			Eventually(ctx, a.has(&corev1.Service{}, s.name)).Should(BeTrue())
			By("7, 8: the new configuration is there before the first pod restarts with it; all in order")
			a.now(ctx)
			story := a.Record.Story()
			downs := slices.DeleteFunc(story.Takedowns(), func(t framework.Takedown) bool { return t.Version <= since })
			Expect(downs).To(HaveLen(g.replicas))
			inOrder(
				step{"the request is created", story.First(created(r))},
				step{"the database is paused", story.First(paused(s, r))},
				step{"its configuration is changed", story.First(says250(s, g))},
				step{"the workload gets the new configuration", story.First(generation(g.workload, 2))},
				step{"the first pod leaves", downs[0].Version},
				step{"the last pod is back", downs[len(downs)-1].Back},
				step{"the database is resumed", story.First(resumed(s, r))},
				step{"the request is Successful", story.First(successful(r))},
			)
			a.runs(ctx, s, g.name, "max_connections", "250")
		})

		for _, mode := range []opsv1.VolumeExpansionMode{opsv1.ModeOnline, opsv1.ModeOffline} {
			It(fmt.Sprintf("come true for expanding the volumes of %s %s", s.title, mode), func(ctx SpecContext) {
				a := newArena(ctx)
				a.provision(ctx, s.database(a.Name))
				r := a.succeeds(ctx, s.expand(a, "grow", mode, "5Gi"))
				a.now(ctx)
				story := a.Record.Story()
				inOrder(
					step{"the request is created", story.First(created(r))},
					step{"the database is paused", story.First(paused(s, r))},
					step{"a claim asks for more", story.First(asks("5Gi"))},
					step{"a claim has more", story.First(capacity("5Gi"))},
					step{"the database's own size is updated", story.First(sized(s, "5Gi"))},
					step{"the database is resumed", story.First(resumed(s, r))},
					step{"the request is Successful", story.First(successful(r))},
				)
			})
		}
	}
})

// step is something that happened at a version.
type step struct {
	name string
	at   uint64
}

func inOrder(steps ...step) {
	GinkgoHelper()
	for i, s := range steps {
		Expect(s.at).NotTo(BeZero(), "never: "+s.name)
		if i > 0 {
			Expect(s.at).To(BeNumerically(">", steps[i-1].at), "%q came before %q", s.name, steps[i-1].name)
		}
	}
}

func created(r framework.Request) func(framework.Event) bool {
	return func(e framework.Event) bool { return e.Object.GetUID() == r.GetUID() }
}

func paused(s sample, r framework.Request) func(framework.Event) bool {
	return func(e framework.Event) bool {
		db, ok := e.Object.(framework.Database)
		return ok && db.GetName() == s.name && framework.HeldBy(db, r.GetUID())
	}
}

// resumed is true from the moment at which the pause is gone and the outcome is there.
func resumed(s sample, r framework.Request) func(framework.Event) bool {
	return func(e framework.Event) bool {
		db, ok := e.Object.(framework.Database)
		if !ok || db.GetName() != s.name || framework.HeldBy(db, r.GetUID()) {
			return false
		}
		last := db.DatabaseStatus().LastOperation
		return last != nil && last.UID == r.GetUID()
	}
}

func successful(r framework.Request) func(framework.Event) bool {
	return func(e framework.Event) bool {
		now, ok := e.Object.(framework.Request)
		return ok && now.GetUID() == r.GetUID() && now.RequestStatus().Phase == opsv1.PhaseSuccessful
	}
}

func says250(s sample, g group) func(framework.Event) bool {
	return func(e framework.Event) bool {
		db, ok := e.Object.(framework.Database)
		return ok && db.GetName() == s.name && len(configuration(db, g.name).Inline) > 0
	}
}

func generation(workload string, n int64) func(framework.Event) bool {
	return func(e framework.Event) bool {
		set, ok := e.Object.(*appsv1.StatefulSet)
		return ok && set.Name == workload && set.Generation >= n
	}
}

func asks(size string) func(framework.Event) bool {
	return func(e framework.Event) bool {
		c, ok := e.Object.(*corev1.PersistentVolumeClaim)
		return ok && c.Spec.Resources.Requests.Storage().String() == size
	}
}

func capacity(size string) func(framework.Event) bool {
	return func(e framework.Event) bool {
		c, ok := e.Object.(*corev1.PersistentVolumeClaim)
		return ok && c.Status.Capacity.Storage().String() == size
	}
}

func sized(s sample, size string) func(framework.Event) bool {
	return func(e framework.Event) bool {
		db, ok := e.Object.(framework.Database)
		return ok && db.GetName() == s.name && sizes(db)[0].Resources.Requests.Storage().String() == size
	}
}
