//go:build lab

package acceptance

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// late is a quota that comes when an expansion has been admitted and has begun.
type late struct {
	sample
	mode opsv1.VolumeExpansionMode
	// held are the pods whose claims are asked to grow before the quota comes. They grow when it is there.
	held []string
	// room is what the quota leaves for all claims.
	room string
	// told is what the failed request says of the claims that came next.
	told []string
	// reached are the sizes of the volumes then, by pod, and restarted the pods that were taken down.
	reached   map[string]string
	restarted []string
	// left are the pods that the request restarts which finishes the expansion.
	left []string
}

var lateQuotas = []late{
	{
		// When px-2 is done, 7Gi are used, and px-1 wants 4Gi more.
		sample: onCSI(percona), mode: opsv1.ModeOffline, held: []string{"px-2"}, room: "8Gi",
		told:    []string{"0 of 1 claims have 5Gi; refused by the API server: data-px-1: ", "exceeded quota: storage"},
		reached: map[string]string{"px-2": "5Gi", "px-1": "1Gi", "px-0": "1Gi"}, restarted: []string{"px-2", "px-1"},
		left: []string{"px-1", "px-0"}, // a pod whose claim is large enough stays
	},
	{
		// When the leaves are done, 12Gi are used, and there is room for one aggregator of two.
		sample: onCSI(cluster), mode: opsv1.ModeOnline, held: []string{"sdb-leaf-1", "sdb-leaf-0"}, room: "17Gi",
		told: []string{"0 of 2 claims have 5Gi; refused by the API server: data-sdb-aggregator-1: ", "exceeded quota: storage",
			"; granted: data-sdb-aggregator-0"},
		reached:   map[string]string{"sdb-leaf-1": "5Gi", "sdb-leaf-0": "5Gi", "sdb-aggregator-1": "1Gi", "sdb-aggregator-0": "5Gi"},
		restarted: []string{}, left: []string{},
	},
}

var _ = Describe("VolumeExpansion that a quota refuses half way", func() {
	for _, q := range lateQuotas {
		title := fmt.Sprintf("tells each claim, leaves %s Ready, and is finished once there is room: %s", q.title, q.mode)
		It(title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := q.database(a.Name)
			a.provision(ctx, db)
			a.holdsBack(ctx, q.held)
			since := a.now(ctx)
			r := q.expand(a, "grow", q.mode, "5Gi", retries(0))
			a.create(ctx, r)
			a.comesLate(ctx, q, r)
			a.faults(ctx)

			failed := condition(a.ends(ctx, r, opsv1.PhaseFailed), opsv1.ConditionFailed)
			Expect(failed.Reason).To(Equal("ExpansionRefused"))
			for _, fragment := range q.told {
				Expect(failed.Message).To(ContainSubstring(fragment))
			}
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			Expect(a.restarted(ctx, since)).To(Equal(q.restarted))
			a.isFree(q.sample)
			Expect(a.lastOperation(q.sample)).To(And(
				HaveField("Outcome", kubedbv1.OutcomeFailed), HaveField("Message", ContainSubstring(q.told[0]))))
			a.keepsSizes(q.sample)
			Eventually(ctx, a.capacities(q.sample)).Should(Equal(q.reached), "what was granted grows all the same")

			Expect(a.Client.Delete(ctx, quota(a, q.room))).To(Succeed())
			Eventually(ctx, a.growsDry(q.sample)).Should(Succeed(), "the API server still knows the quota")
			since = a.now(ctx)
			a.succeeds(ctx, q.expand(a, "finish", q.mode, "5Gi"))
			a.hasGrown(ctx, q.sample, "5Gi")
			Expect(a.restarted(ctx, since)).To(Equal(q.left))
			a.isSettled(ctx, q.sample)
		})
	}
})

// holdsBack lets the storage fail to grow the volumes of those pods, until it is told otherwise.
func (a *arena) holdsBack(ctx context.Context, pods []string) {
	GinkgoHelper()
	rules := make([]string, len(pods))
	for i, pod := range pods {
		rules[i] = "{claim: data-" + pod + ", resize: transient, failures: 1000}"
	}
	a.faults(ctx, rules...)
}

// comesLate makes the quota once the request has begun and the claims that are held have been asked to grow, and returns
// when the API server refuses by it. The other claims have not been asked by then: they come after those that are held.
func (a *arena) comesLate(ctx context.Context, q late, r framework.Request) {
	GinkgoHelper()
	Eventually(ctx, a.says(r, opsv1.ConditionSuccessful)).Should(HaveField("Status", metav1.ConditionFalse), "the request has begun")
	for _, pod := range q.held {
		Eventually(ctx, a.asks("data-"+pod)).Should(Equal("5Gi"), pod)
	}
	a.create(ctx, quota(a, q.room))
	Eventually(ctx, a.growsDry(q.sample)).Should(MatchError(ContainSubstring("exceeded quota: storage")), "the quota is not counted")
}

// growsDry asks the API server, without any consequence, for much more room for the claim that is the last to grow.
func (a *arena) growsDry(s sample) func(context.Context) error {
	pods := s.pods()
	return func(ctx context.Context) error {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "data-" + pods[len(pods)-1]}}
		patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"resources":{"requests":{"storage":"100Gi"}}}}`))
		return a.Client.Patch(ctx, claim, patch, client.DryRunAll)
	}
}

// capacities are the sizes of the volumes, by pod.
func (a *arena) capacities(s sample) func() map[string]string {
	return func() map[string]string {
		sizes := map[string]string{}
		for _, pod := range s.pods() {
			sizes[pod] = a.capacity(pod)
		}
		return sizes
	}
}

// keepsSizes expects that the database's spec has the sizes that it was made with: nothing is claimed that is not so.
func (a *arena) keepsSizes(s sample) {
	GinkgoHelper()
	now := sizes(see(a, s.database(a.Name)))
	for i, made := range sizes(s.database(a.Name)) {
		size := made.Resources.Requests.Storage().String()
		Expect(now[i].Resources.Requests.Storage().String()).To(Equal(size), "the size in the spec")
	}
}
