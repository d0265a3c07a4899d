//go:build lab

package acceptance

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("Provisioning", func() {
	for _, s := range samples {
		It("brings "+s.title+" from Provisioning to Ready", func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name)
			a.provision(ctx, db)
			a.now(ctx)
			Expect(phases(a.Record.Story(), db)).To(Equal([]kubedbv1.DatabasePhase{kubedbv1.PhaseProvisioning, kubedbv1.PhaseReady}))
			for _, kind := range []string{"ProvisioningStarted", "Provisioned", "ReplicaReady", "AcceptingConnection", "Ready", "PodsUpToDate"} {
				Eventually(ctx, a.says(db, kind)).Should(HaveField("Status", metav1.ConditionTrue), kind)
			}
			Expect(see(a, db).DatabaseStatus().ObservedGeneration).To(Equal(see(a, db).GetGeneration()))
		})
	}

	It("writes nothing while nothing changes", func(ctx SpecContext) {
		a := newArena(ctx)
		for _, s := range samples {
			a.create(ctx, s.database(a.Name))
		}
		for _, s := range samples {
			a.becomes(ctx, s.database(a.Name), kubedbv1.PhaseReady)
		}
		a.settles(ctx)
		a.isLeftAlone(ctx, time.Minute)
	})

	It("makes credentials once and never overwrites them", func(ctx SpecContext) {
		a := newArena(ctx)
		mine := a.secret("px-auth", map[string]string{"username": "root", "password": "chosen by the user"})
		mine.Type = corev1.SecretTypeBasicAuth
		a.create(ctx, mine)
		named := percona.database(a.Name).(*kubedbv1.PerconaXtraDB)
		named.Spec.AuthSecret = &kubedbv1.SecretReference{Name: mine.Name}
		a.provision(ctx, named)
		a.provision(ctx, standalone.database(a.Name))
		generated, ok := framework.Latest[*corev1.Secret](a.Record, "one-auth")
		Expect(ok).To(BeTrue())
		Expect(generated.Type).To(Equal(corev1.SecretTypeBasicAuth))
		Expect(generated.Data).To(HaveKeyWithValue("username", []byte("root")))
		Expect(len(generated.Data["password"])).To(BeNumerically(">=", 16))

		a.succeeds(ctx, percona.restart(a, "restart-px"))
		a.succeeds(ctx, standalone.restart(a, "restart-one"))
		a.now(ctx)
		Expect(see(a, mine).ResourceVersion).To(Equal(mine.ResourceVersion), "the user's Secret was written")
		Expect(see(a, generated).ResourceVersion).To(Equal(generated.ResourceVersion), "the credentials were written again")
	})

	It("makes again what somebody deletes", func(ctx SpecContext) {
		a := newArena(ctx)
		db := cluster.database(a.Name)
		a.provision(ctx, db)
		since := a.now(ctx)
		for _, gone := range []client.Object{&corev1.Service{}, &appsv1.StatefulSet{}} {
			gone.SetNamespace(a.Name)
			gone.SetName(map[bool]string{true: "sdb", false: "sdb-leaf"}[isService(gone)])
			uid := see(a, gone).GetUID()
			Expect(a.Client.Delete(ctx, gone, client.PropagationPolicy(metav1.DeletePropagationOrphan))).To(Succeed())
			Eventually(ctx, func() types.UID { return uidOf(a, gone) }).ShouldNot(Or(Equal(uid), BeEmpty()), gone.GetName())
		}
		Consistently(ctx, a.phase(db), time.Second).Should(Equal(kubedbv1.PhaseReady))
		Expect(a.restarted(ctx, since)).To(BeEmpty(), "pods of a workload that was made again")
	})
})

// settles waits until everything has been written that follows from what was done.
func (a *arena) settles(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func() int {
		before := a.Record.Len()
		time.Sleep(2 * time.Second)
		return a.Record.Len() - before
	}).Should(BeZero())
}

// isLeftAlone expects that the operator calls the API server about nothing in this namespace for that long: neither writes,
// also not such as change nothing, nor reads.
func (a *arena) isLeftAlone(ctx context.Context, d time.Duration) {
	GinkgoHelper()
	audit, err := a.Audit()
	Expect(err).NotTo(HaveOccurred())
	calls := func() []string {
		list, err := audit.Calls(framework.OperatorUser, a.Name)
		Expect(err).NotTo(HaveOccurred())
		whats := []string{}
		for _, c := range list {
			whats = append(whats, c.What()+" "+c.Object.Name)
		}
		return whats
	}
	Consistently(ctx, calls, d).WithPolling(time.Second).Should(BeEmpty(), "calls of the operator where nothing happens")
}

func isService(o client.Object) bool {
	_, ok := o.(*corev1.Service)
	return ok
}

// uidOf is the UID of the object of that name; empty when there is none.
func uidOf(a *arena, like client.Object) types.UID {
	if o := a.Record.See(like); o != nil {
		return o.GetUID()
	}
	return ""
}

// phases are the phases that a database went through, each once in a row.
func phases(s framework.Story, db framework.Database) []kubedbv1.DatabasePhase {
	var list []kubedbv1.DatabasePhase
	for _, e := range s.Events {
		now, ok := e.Object.(framework.Database)
		if !ok || now.GetName() != db.GetName() {
			continue
		}
		phase := now.DatabaseStatus().Phase
		if phase != "" && (len(list) == 0 || list[len(list)-1] != phase) {
			list = append(list, phase)
		}
	}
	return list
}

var _ = Describe("The phase of a database", func() {
	for _, s := range samples {
		It("follows the pods of "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name)
			a.provision(ctx, db)
			if len(s.pods()) > 1 {
				a.faults(ctx, `{pod: "`+s.pods()[0]+`", neverReady: true}`)
				a.becomes(ctx, db, kubedbv1.PhaseCritical)
				Expect(a.says(db, "ReplicaReady")().Message).To(ContainSubstring(s.groups[0].workload))
			}
			a.faults(ctx, `{pod: "*", neverReady: true}`)
			a.becomes(ctx, db, kubedbv1.PhaseNotReady)
			Expect(a.says(db, "AcceptingConnection")().Status).To(Equal(metav1.ConditionFalse))
			a.faults(ctx)
			a.becomes(ctx, db, kubedbv1.PhaseReady)
		})
	}
})

// edit changes the database and writes it, again if somebody else was faster.
func edit[T framework.Database](ctx context.Context, a *arena, db T, change func(T)) error {
	var err error
	for range 10 {
		now := db.DeepCopyObject().(T)
		if err = a.Client.Get(ctx, client.ObjectKeyFromObject(db), now); err != nil {
			return err
		}
		change(now)
		if err = a.Client.Update(ctx, now); !conflict(err) {
			return err
		}
	}
	return err
}
