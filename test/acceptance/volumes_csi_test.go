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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// These specs run on volumes that the real external-resizer grows, by calls to a CSI driver that fails as it is told.
var _ = Describe("VolumeExpansion with a CSI driver", func() {
	for _, s := range []sample{onCSI(cluster), onCSI(percona)} {
		It("grows every group of "+s.title+" online around pods that stay, and leaves no restart behind", func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			a.succeeds(ctx, s.restart(a, "first")) // so that there is a stamp to lose
			a.faults(ctx, `{claim: "*-1", resize: transient, failures: 2}`)
			before, since := a.standing(ctx, s), a.now(ctx)
			r := a.succeeds(ctx, s.expand(a, "grow", opsv1.ModeOnline, "5Gi"))
			for _, g := range s.groups {
				Expect(condition(r, "Expand"+g.title+"Volumes").Message).To(Equal(fmt.Sprintf("%d of %d claims have 5Gi", g.replicas, g.replicas)))
			}
			a.hasGrown(ctx, s, "5Gi")
			a.stands(ctx, s, before)
			Expect(a.restarted(ctx, since)).To(BeEmpty())
		})

		It("grows every group of "+s.title+" offline, one pod at a time, each back before the next leaves", func(ctx SpecContext) {
			a := newArena(ctx)
			a.provision(ctx, s.database(a.Name))
			a.succeeds(ctx, s.restart(a, "first"))
			before, since := a.standing(ctx, s), a.now(ctx)
			a.succeeds(ctx, s.expand(a, "grow", opsv1.ModeOffline, "5Gi"))
			a.hasGrown(ctx, s, "5Gi")
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			a.grewWhileDown(since)
			for name := range before {
				before[name].pods = nil // they are new
			}
			a.stands(ctx, s, before)
			Expect(a.restarted(ctx, since)).To(HaveLen(len(s.pods())), "a restart that nobody asked for")
		})
	}

	It("says which of several claims the storage refuses, and is finished by less, and later by more", func(ctx SpecContext) {
		a, s := newArena(ctx), ofFive(onCSI(percona))
		a.provision(ctx, s.database(a.Name))
		a.faults(ctx, `{claim: data-px-3, resize: infeasible, above: 2Gi}`)
		since := a.now(ctx)
		r := a.fails(ctx, s.expand(a, "too-much", opsv1.ModeOnline, "5Gi", retries(0)), "ExpansionInfeasible")
		Expect(condition(r, opsv1.ConditionFailed).Message).To(And(ContainSubstring("4 of 5 claims have 5Gi"),
			ContainSubstring("refused by the storage: data-px-3: "), ContainSubstring("OutOfRange")))
		a.isFree(s)
		Expect(sizes(see(a, s.database(a.Name)))[0].Resources.Requests.Storage().String()).To(Equal("1Gi"), "nothing is claimed that is not so")

		a.succeeds(ctx, s.expand(a, "less", opsv1.ModeOnline, "2Gi"))
		a.now(ctx)
		Expect(a.capacity("px-3")).To(Equal("2Gi"))
		Expect(a.capacity("px-0")).To(Equal("5Gi"), "what has grown stays")
		Expect(sizes(see(a, s.database(a.Name)))[0].Resources.Requests.Storage().String()).To(Equal("2Gi"))

		a.faults(ctx)
		a.succeeds(ctx, s.expand(a, "more", opsv1.ModeOnline, "6Gi"))
		a.hasGrown(ctx, s, "6Gi")
		Expect(a.restarted(ctx, since)).To(BeEmpty())
		a.isSettled(ctx, s)
	})

	It("takes an old refusal for no answer to a new request", func(ctx SpecContext) {
		a, s := newArena(ctx), onCSI(cluster)
		a.provision(ctx, s.database(a.Name))
		a.faults(ctx, `{claim: "data-sdb-aggregator-*", resize: infeasible}`)
		r := a.fails(ctx, s.expand(a, "refused", opsv1.ModeOnline, "5Gi", retries(0)), "ExpansionInfeasible")
		Expect(condition(r, "ExpandLeafVolumes").Message).To(Equal("2 of 2 claims have 5Gi"))
		Expect(condition(r, opsv1.ConditionFailed).Message).To(And(ContainSubstring("0 of 2 claims have 5Gi"),
			ContainSubstring("data-sdb-aggregator-0: "), ContainSubstring("data-sdb-aggregator-1: ")))
		a.isFree(s)
		a.faults(ctx)
		time.Sleep(time.Second) // what the storage says of a claim is dated in whole seconds
		a.succeeds(ctx, s.expand(a, "again", opsv1.ModeOnline, "5Gi"))
		a.hasGrown(ctx, s, "5Gi")
		a.isSettled(ctx, s)
	})

	It("leaves a claim alone that somebody has made larger", func(ctx SpecContext) {
		a, s := newArena(ctx), onCSI(percona)
		a.provision(ctx, s.database(a.Name))
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "data-px-1"}}
		Expect(a.Client.Patch(ctx, claim, client.RawPatch(types.MergePatchType,
			[]byte(`{"spec":{"resources":{"requests":{"storage":"8Gi"}}}}`)))).To(Succeed())
		Eventually(ctx, func() string { return a.capacity("px-1") }).Should(Equal("8Gi"))
		r := a.succeeds(ctx, s.expand(a, "grow", opsv1.ModeOnline, "5Gi"))
		Expect(condition(r, "ExpandVolumes").Message).To(Equal("3 of 3 claims have 5Gi"))
		a.now(ctx)
		Expect([]string{a.capacity("px-0"), a.capacity("px-1"), a.capacity("px-2")}).To(Equal([]string{"5Gi", "8Gi", "5Gi"}))
		a.isSettled(ctx, s)
	})

	It("says so when a file system grows only with a restart, and is finished after one", func(ctx SpecContext) {
		a, s := newArena(ctx), onCSI(percona)
		a.provision(ctx, s.database(a.Name))
		a.faults(ctx, `{claim: data-px-0, resize: filesystem-pending}`)
		r := a.fails(ctx, s.expand(a, "grow", opsv1.ModeOnline, "5Gi", within(3*time.Second), retries(0)), opsv1.ReasonTimeout)
		Expect(condition(r, opsv1.ConditionFailed).Message).To(And(ContainSubstring("2 of 3 claims have 5Gi"),
			ContainSubstring("data-px-0 has 1Gi (its file system grows when the pod starts anew)")))
		a.isFree(s)
		a.succeeds(ctx, s.restart(a, "restart"))
		Eventually(ctx, func() string { return a.capacity("px-0") }).Should(Equal("5Gi"))
		since := a.now(ctx)
		a.succeeds(ctx, s.expand(a, "finish", opsv1.ModeOnline, "5Gi"))
		a.hasGrown(ctx, s, "5Gi")
		Expect(a.restarted(ctx, since)).To(BeEmpty())
		a.isSettled(ctx, s)
	})
})

// onCSI is the sample with volumes of the class csi.
func onCSI(s sample) sample {
	plain := s.database
	s.database = func(namespace string) framework.Database {
		db := plain(namespace)
		for _, storage := range sizes(db) {
			storage.StorageClassName = new("csi")
		}
		return db
	}
	return s
}

// ofFive is a PerconaXtraDB with five pods.
func ofFive(s sample) sample {
	plain := s.database
	s.groups = []group{{name: "perconaxtradb", workload: "px", replicas: 5}}
	s.database = func(namespace string) framework.Database {
		db := plain(namespace).(*kubedbv1.PerconaXtraDB)
		db.Spec.Replicas = new(int32(5))
		return db
	}
	return s
}

// standing is what an expansion must leave of a workload as it was.
type standing struct {
	revision, stamp string
	pods            map[string]types.UID
}

func (a *arena) standing(ctx context.Context, s sample) map[string]*standing {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	found := map[string]*standing{}
	for _, g := range s.groups {
		set, ok := framework.Latest[*appsv1.StatefulSet](a.Record, g.workload)
		Expect(ok).To(BeTrue(), "there is no StatefulSet "+g.workload)
		stamp := set.Spec.Template.Annotations[opsv1.AnnotationRestart]
		Expect(stamp).NotTo(BeEmpty(), "stamp of "+g.workload)
		found[g.workload] = &standing{revision: set.Status.UpdateRevision, stamp: stamp, pods: map[string]types.UID{}}
	}
	for _, name := range s.pods() {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue(), "there is no pod "+name)
		found[framework.WorkloadOf(name)].pods[name] = pod.UID
	}
	return found
}

// stands expects that the workloads have come back as they were, have taken their pods back, and leave them alone.
func (a *arena) stands(ctx context.Context, s sample, before map[string]*standing) {
	GinkgoHelper()
	a.isSettled(ctx, s)
	after := a.standing(ctx, s)
	for name, was := range before {
		Expect(after[name].revision).To(Equal(was.revision), "revision of "+name)
		Expect(after[name].stamp).To(Equal(was.stamp), "stamp of "+name)
		for pod, uid := range was.pods {
			Expect(after[name].pods[pod]).To(Equal(uid), "pod "+pod+" is another one")
		}
	}
}

// isSettled waits until every workload controls all its pods at its own revision, and the database says so.
func (a *arena) isSettled(ctx context.Context, s sample) {
	GinkgoHelper()
	a.becomes(ctx, s.database(a.Name), kubedbv1.PhaseReady)
	Eventually(ctx, a.says(s.database(a.Name), kubedbv1.ConditionPodsUpToDate)).Should(HaveField("Status", metav1.ConditionTrue))
	for _, name := range s.pods() {
		Eventually(ctx, func(g Gomega) {
			set, ok := framework.Latest[*appsv1.StatefulSet](a.Record, framework.WorkloadOf(name))
			g.Expect(ok).To(BeTrue())
			pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
			g.Expect(ok).To(BeTrue())
			g.Expect(metav1.IsControlledBy(pod, set)).To(BeTrue())
			g.Expect(pod.Labels[appsv1.StatefulSetRevisionLabel]).To(Equal(set.Status.UpdateRevision))
		}).Should(Succeed(), name)
	}
	a.isFree(s)
}

// grewWhileDown expects of each takedown since then that the pod's volume grew while the pod was away, up to the file
// system, and that the file system was there before the next pod left.
func (a *arena) grewWhileDown(since uint64) {
	GinkgoHelper()
	story := a.Record.Story()
	first := func(pod string, match func(corev1.PersistentVolumeClaimStatus) bool) uint64 {
		return story.First(func(e framework.Event) bool {
			claim, ok := e.Object.(*corev1.PersistentVolumeClaim)
			return ok && e.Version > since && claim.Name == "data-"+pod && match(claim.Status)
		})
	}
	previous := uint64(0)
	for _, down := range story.Takedowns() {
		if down.Version <= since {
			continue
		}
		pending := first(down.Pod, func(c corev1.PersistentVolumeClaimStatus) bool {
			return c.AllocatedResourceStatuses[corev1.ResourceStorage] == corev1.PersistentVolumeClaimNodeResizePending
		})
		grown := first(down.Pod, func(c corev1.PersistentVolumeClaimStatus) bool { return c.Capacity.Storage().String() == "5Gi" })
		Expect(down.Version).To(BeNumerically(">", previous), down.Pod+" left before the pod before it was done")
		Expect(pending).To(And(BeNumerically(">", down.Version), BeNumerically("<", down.Back)), down.Pod)
		Expect(grown).To(BeNumerically(">", pending), down.Pod)
		previous = max(grown, down.Back)
	}
	Expect(previous).NotTo(BeZero(), "no pod was taken down")
}

// asks is the size that a claim asks for.
func (a *arena) asks(name string) func() string {
	return func() string {
		claim, ok := framework.Latest[*corev1.PersistentVolumeClaim](a.Record, name)
		if !ok {
			return ""
		}
		return claim.Spec.Resources.Requests.Storage().String()
	}
}
