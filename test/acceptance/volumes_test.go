//go:build lab

package acceptance

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("VolumeExpansion", func() {
	for _, s := range samples {
		It("grows the volumes of "+s.title+" online and touches no pod", func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			since := a.now(ctx)
			a.succeeds(ctx, s.expand(a, "grow", opsv1.ModeOnline, "5Gi"))
			a.hasGrown(ctx, s, "5Gi")
			Expect(a.restarted(ctx, since)).To(BeEmpty())
			a.succeeds(ctx, s.restart(a, "next"))
		})

		It("grows the volumes of "+s.title+" offline, pod after pod, each restarted once", func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			a.faults(ctx, `{claim: "*", resize: filesystem-pending}`)
			since := a.now(ctx)
			a.succeeds(ctx, s.expand(a, "grow", opsv1.ModeOffline, "5Gi"))
			a.hasGrown(ctx, s, "5Gi")
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			a.becomes(ctx, s.database(a.Name), kubedbv1.PhaseReady)
		})
	}

	It("grows the component that is named and leaves the other alone", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, cluster.database(a.Name))
		grow := func(name string, volumes opsv1.SinglestoreVolumeExpansion) {
			r := cluster.request(a, name, opsv1.VolumeExpansion).(*opsv1.SinglestoreOpsRequest)
			r.Spec.VolumeExpansion = &volumes
			a.succeeds(ctx, r)
			a.now(ctx)
		}
		grow("leaves", opsv1.SinglestoreVolumeExpansion{Mode: opsv1.ModeOnline, Leaf: new(resource.MustParse("7Gi"))})
		Expect(a.capacity("sdb-leaf-0")).To(Equal("7Gi"))
		Expect(a.capacity("sdb-aggregator-0")).To(Equal("1Gi"))
		since := a.now(ctx)
		grow("aggregators", opsv1.SinglestoreVolumeExpansion{Mode: opsv1.ModeOffline, Aggregator: new(resource.MustParse("5Gi"))})
		Expect(a.capacity("sdb-leaf-0")).To(Equal("7Gi"))
		Expect(a.capacity("sdb-aggregator-0")).To(Equal("5Gi"))
		Expect(a.restarted(ctx, since)).To(HaveEach(HavePrefix("sdb-aggregator-")))
	})

	It("says which volumes the storage will not grow, opens the gate, and lets a smaller retry succeed", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		a.faults(ctx, `{claim: data-px-1, resize: infeasible, above: 10Gi}`)
		r := a.fails(ctx, percona.expand(a, "too-much", opsv1.ModeOnline, "20Gi", retries(0)), "ExpansionInfeasible")
		Expect(condition(r, opsv1.ConditionFailed).Message).To(And(ContainSubstring("2 of 3"), ContainSubstring("data-px-1")))
		a.isFree(percona)
		a.becomes(ctx, percona.database(a.Name), kubedbv1.PhaseReady)
		a.faults(ctx)
		a.succeeds(ctx, percona.expand(a, "again", opsv1.ModeOnline, "20Gi"))
		a.hasGrown(ctx, percona, "20Gi")
	})

	It("fails with Timeout when a volume never grows, and a new request finishes what was begun", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		a.faults(ctx, `{claim: data-px-2, resize: never}`)
		r := a.fails(ctx, percona.expand(a, "stuck", opsv1.ModeOnline, "5Gi", within(3*time.Second), retries(0)), opsv1.ReasonTimeout)
		Expect(condition(r, opsv1.ConditionFailed).Message).To(ContainSubstring("data-px-2"))
		a.isFree(percona)
		a.faults(ctx)
		a.succeeds(ctx, percona.expand(a, "again", opsv1.ModeOnline, "5Gi"))
		a.hasGrown(ctx, percona, "5Gi")
	})

	It("puts right what an expansion left that was cut off after the claims had grown", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		operator, err := lab.As(framework.OperatorUser)
		Expect(err).NotTo(HaveOccurred())
		const grown = `{"spec":{%s"resources":{"requests":{"storage":"5Gi"}}%s}}`
		for _, pod := range percona.pods() {
			claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "data-" + pod}}
			Expect(operator.Patch(ctx, claim, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, grown, "", "")))).To(Succeed())
		}
		Expect(operator.Patch(ctx, db, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, grown, `"storage":{`, "}")))).To(Succeed())
		Eventually(ctx, a.says(db, kubedbv1.ConditionVolumesUpToDate)).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("px would make claims of another size"))))
		since := a.now(ctx)
		a.succeeds(ctx, percona.expand(a, "finish", opsv1.ModeOnline, "5Gi"))
		a.hasGrown(ctx, percona, "5Gi")
		Expect(a.restarted(ctx, since)).To(BeEmpty())
		Eventually(ctx, a.says(db, kubedbv1.ConditionVolumesUpToDate)).Should(BeZero())
	})

	It("can be cancelled while a pod is stopped: the pod comes back", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		a.faults(ctx, `{claim: "*", resize: never}`)
		r := percona.expand(a, "stuck", opsv1.ModeOffline, "5Gi")
		a.create(ctx, r)
		Eventually(ctx, a.has(&corev1.Pod{}, "px-2")).Should(BeFalse())
		Expect(a.Client.Delete(ctx, r)).To(Succeed())
		Eventually(ctx, a.has(r, r.GetName())).Should(BeFalse())
		a.becomes(ctx, percona.database(a.Name), kubedbv1.PhaseReady)
		a.isFree(percona)
		Expect(a.has(&corev1.Pod{}, "px-2")()).To(BeTrue())
	})
})

// expand is a request that grows the volumes of every group.
func (s sample) expand(a *arena, name string, mode opsv1.VolumeExpansionMode, size string, options ...option) framework.Request {
	quantity := new(resource.MustParse(size))
	switch r := s.request(a, name, opsv1.VolumeExpansion, options...).(type) {
	case *opsv1.SinglestoreOpsRequest:
		r.Spec.VolumeExpansion = &opsv1.SinglestoreVolumeExpansion{Mode: mode, Node: quantity}
		if len(s.groups) > 1 {
			r.Spec.VolumeExpansion = &opsv1.SinglestoreVolumeExpansion{Mode: mode, Aggregator: quantity, Leaf: quantity}
		}
		return r
	case *opsv1.PerconaXtraDBOpsRequest:
		r.Spec.VolumeExpansion = &opsv1.PerconaXtraDBVolumeExpansion{Mode: mode, PerconaXtraDB: quantity}
		return r
	}
	panic("a kind without volumes")
}

// capacity is the size of a pod's volume.
func (a *arena) capacity(pod string) string {
	GinkgoHelper()
	claim, ok := framework.Latest[*corev1.PersistentVolumeClaim](a.Record, "data-"+pod)
	Expect(ok).To(BeTrue(), "there is no claim data-"+pod)
	return claim.Status.Capacity.Storage().String()
}

// hasGrown expects that size of the claims, of the claim templates and in the database's spec.
func (a *arena) hasGrown(ctx context.Context, s sample, size string) {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	for _, pod := range s.pods() {
		Expect(a.capacity(pod)).To(Equal(size), "volume of "+pod)
	}
	for _, g := range s.groups {
		set, ok := framework.Latest[*appsv1.StatefulSet](a.Record, g.workload)
		Expect(ok).To(BeTrue(), "there is no StatefulSet "+g.workload)
		Expect(set.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests.Storage().String()).To(Equal(size), "claim template of "+g.workload)
	}
	for _, asked := range sizes(see(a, s.database(a.Name))) {
		Expect(asked.Resources.Requests.Storage().String()).To(Equal(size), "the size in the spec")
	}
}

// sizes are the storage sections of a database's spec.
func sizes(db framework.Database) []*corev1.PersistentVolumeClaimSpec {
	switch d := db.(type) {
	case *kubedbv1.PerconaXtraDB:
		return []*corev1.PersistentVolumeClaimSpec{d.Spec.Storage}
	case *kubedbv1alpha2.Singlestore:
		if t := d.Spec.Topology; t != nil {
			return []*corev1.PersistentVolumeClaimSpec{t.Aggregator.Storage, t.Leaf.Storage}
		}
		return []*corev1.PersistentVolumeClaimSpec{d.Spec.Storage}
	}
	panic("a kind without volumes")
}
