//go:build lab

package acceptance

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("Deleting a database", func() {
	DescribeTable("carries out its deletionPolicy",
		func(ctx SpecContext, policy kubedbv1.DeletionPolicy, claims, credentials bool) {
			a := newArena(ctx)
			for _, s := range []sample{cluster, percona} {
				db := withPolicy(s.database(a.Name), policy)
				a.provision(ctx, db)
			}
			for _, s := range []sample{cluster, percona} {
				Expect(a.Client.Delete(ctx, s.database(a.Name))).To(Succeed())
			}
			for _, s := range []sample{cluster, percona} {
				a.isGone(ctx, s)
				for _, pod := range s.pods() {
					Eventually(ctx, a.has(&corev1.PersistentVolumeClaim{}, "data-"+pod)).Should(Equal(claims), "claim of "+pod)
				}
				for _, name := range looksOf[s.title].secrets {
					Eventually(ctx, a.has(&corev1.Secret{}, name)).Should(Equal(credentials), "Secret "+name)
				}
			}
			Expect(a.has(&corev1.Secret{}, licence)()).To(BeTrue(), "the user's own Secret was deleted")
		},
		Entry("Halt keeps claims and credentials", kubedbv1.DeletionHalt, true, true),
		Entry("Delete removes the claims", kubedbv1.DeletionDelete, false, true),
		Entry("WipeOut removes claims and credentials", kubedbv1.DeletionWipeOut, false, false),
	)

	It("is refused while deletionPolicy is DoNotTerminate, with the way out", func(ctx SpecContext) {
		a := newArena(ctx)
		db := withPolicy(percona.database(a.Name), kubedbv1.DeletionDoNotTerminate)
		a.provision(ctx, db)
		Expect(a.Client.Delete(ctx, db)).To(MatchError(And(
			ContainSubstring("deletionPolicy is DoNotTerminate"), ContainSubstring("Halt, Delete or WipeOut"))))
		Expect(edit(ctx, a, db, func(d framework.Database) { withPolicy(d, kubedbv1.DeletionWipeOut) })).To(Succeed())
		Expect(a.Client.Delete(ctx, db)).To(Succeed())
		a.isGone(ctx, percona)
	})

	It("lets a database of the same name take up the claims and credentials that Halt left", func(ctx SpecContext) {
		a := newArena(ctx)
		db := withPolicy(percona.database(a.Name), kubedbv1.DeletionHalt)
		a.provision(ctx, db)
		auth, _ := framework.Latest[*corev1.Secret](a.Record, "px-auth")
		claim, _ := framework.Latest[*corev1.PersistentVolumeClaim](a.Record, "data-px-0")
		Expect(a.Client.Delete(ctx, db)).To(Succeed())
		a.isGone(ctx, percona)
		a.provision(ctx, percona.database(a.Name))
		a.now(ctx)
		Expect(see(a, auth).Data).To(Equal(auth.Data))
		Expect(see(a, claim).UID).To(Equal(claim.UID))
	})
})

var _ = Describe("Halting a database", func() {
	for _, s := range []sample{standalone, cluster, percona} {
		It("removes the pods of "+s.title+" and keeps claims and Secrets, until it is halted no more", func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name)
			a.provision(ctx, db)
			auth, _ := framework.Latest[*corev1.Secret](a.Record, s.name+"-auth")
			Expect(edit(ctx, a, db, halt(true))).To(Succeed())
			a.becomes(ctx, db, kubedbv1.PhaseHalted)
			a.now(ctx)
			for _, pod := range s.pods() {
				Expect(a.has(&corev1.Pod{}, pod)()).To(BeFalse(), pod+" of a halted database")
				Expect(a.has(&corev1.PersistentVolumeClaim{}, "data-"+pod)()).To(BeTrue(), "claim of "+pod)
			}
			Eventually(ctx, a.has(&corev1.Service{}, s.name)).Should(BeFalse())
			if px, ok := see(a, db).(*kubedbv1.PerconaXtraDB); ok {
				Expect(px.Spec.DeletionPolicy).To(Equal(kubedbv1.DeletionHalt), "a halted database keeps its claims when it is deleted")
			}
			Expect(edit(ctx, a, db, halt(false))).To(Succeed())
			a.becomes(ctx, db, kubedbv1.PhaseReady)
			a.now(ctx)
			Expect(see(a, auth).Data).To(Equal(auth.Data))
		})
	}
})

func withPolicy(db framework.Database, policy kubedbv1.DeletionPolicy) framework.Database {
	switch d := db.(type) {
	case *kubedbv1.PerconaXtraDB:
		d.Spec.DeletionPolicy = policy
	case *kubedbv1alpha2.Singlestore:
		d.Spec.DeletionPolicy = policy
	}
	return db
}

func halt(yes bool) func(framework.Database) {
	return func(db framework.Database) {
		switch d := db.(type) {
		case *kubedbv1.PerconaXtraDB:
			d.Spec.Halted = yes
		case *kubedbv1alpha2.Singlestore:
			d.Spec.Halted = yes
		}
	}
}

// has tells whether there is an object of that type and name now.
func (a *arena) has(like client.Object, name string) func() bool {
	like.SetName(name)
	return func() bool { return a.Record.See(like) != nil }
}

// isGone waits until nothing that runs is left of a database.
func (a *arena) isGone(ctx context.Context, s sample) {
	GinkgoHelper()
	Eventually(ctx, a.has(s.database(a.Name), s.name)).Should(BeFalse(), s.name)
	for _, g := range s.groups {
		Eventually(ctx, a.has(&appsv1.StatefulSet{}, g.workload)).Should(BeFalse(), "StatefulSet "+g.workload)
		Eventually(ctx, a.has(&policyv1.PodDisruptionBudget{}, g.workload)).Should(BeFalse(), "PodDisruptionBudget "+g.workload)
	}
	for _, name := range []string{s.name, s.name + "-pods"} {
		Eventually(ctx, a.has(&corev1.Service{}, name)).Should(BeFalse(), "Service "+name)
	}
	for _, pod := range s.pods() {
		Eventually(ctx, a.has(&corev1.Pod{}, pod)).Should(BeFalse(), pod)
	}
}
