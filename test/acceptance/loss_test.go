//go:build lab

package acceptance

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("A database of another kind with the same name", func() {
	It("takes neither pods, claims nor credentials for its own, not even when it is wiped out", func(ctx SpecContext) {
		a := newArena(ctx)
		first := percona.database(a.Name)
		a.provision(ctx, first)
		before := map[string]any{}
		for _, pod := range percona.pods() {
			claim, ok := framework.Latest[*corev1.PersistentVolumeClaim](a.Record, "data-"+pod)
			Expect(ok).To(BeTrue(), pod)
			before[claim.Name] = claim.UID
		}
		auth, _ := framework.Latest[*corev1.Secret](a.Record, "px-auth")

		second := withPolicy(standalone.database(a.Name), kubedbv1.DeletionWipeOut)
		second.SetName("px")
		a.create(ctx, second)
		Eventually(ctx, a.says(second, "Stalled")).Should(HaveField("Reason", "NameTaken"))
		Expect(a.phase(second)()).NotTo(Equal(kubedbv1.PhaseReady), "it counts pods that are not its own")

		Expect(a.Client.Delete(ctx, second)).To(Succeed())
		Eventually(ctx, a.has(second, "px")).Should(BeFalse())
		a.now(ctx)
		for name, uid := range before {
			claim, ok := framework.Latest[*corev1.PersistentVolumeClaim](a.Record, name)
			Expect(ok).To(BeTrue(), name+" was deleted")
			Expect(claim.UID).To(Equal(uid))
			Expect(claim.DeletionTimestamp).To(BeNil(), name+" is being deleted")
		}
		Expect(see(a, auth).UID).To(Equal(auth.UID))
		Expect(a.phase(first)()).To(Equal(kubedbv1.PhaseReady))
	})
})

var _ = Describe("A database that cannot be rendered any more", func() {
	It("can have its volumes grow all the same", func(ctx SpecContext) {
		a := newArena(ctx)
		db := withVersion(percona.database(a.Name), a.fullVersion(ctx, percona))
		a.provision(ctx, db)
		Expect(a.Client.Delete(ctx, catalogEntry(a.Name))).To(Succeed())
		Eventually(ctx, a.says(db, "Stalled")).Should(HaveField("Reason", "VersionNotFound"))
		since := a.now(ctx)
		a.succeeds(ctx, percona.expand(a, "grow", opsv1.ModeOnline, "2Gi", always))
		Expect(a.restarted(ctx, since)).To(BeEmpty())
	})

	It("can be halted and wiped out", func(ctx SpecContext) {
		a := newArena(ctx)
		db := withVersion(withPolicy(percona.database(a.Name), kubedbv1.DeletionWipeOut), a.fullVersion(ctx, percona)).(*kubedbv1.PerconaXtraDB)
		db.Spec.Monitor = &kubedbv1.AgentSpec{Agent: "prometheus.io/builtin"}
		a.provision(ctx, db)
		Expect(a.Client.Delete(ctx, catalogEntry(a.Name))).To(Succeed())

		Expect(a.Client.Delete(ctx, db)).To(Succeed())
		a.isGone(ctx, percona)
		Eventually(ctx, a.has(&corev1.Service{}, "px-stats")).Should(BeFalse())
		for _, name := range looksOf[percona.title].secrets {
			Eventually(ctx, a.has(&corev1.Secret{}, name)).Should(BeFalse(), "Secret "+name)
		}
	})
})

var _ = Describe("A rendered configuration Secret", func() {
	It("that somebody deleted is made again by the next operation", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		_, name := a.mounted("px-0")
		Expect(a.Client.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: name}})).To(Succeed())
		Eventually(ctx, a.has(&corev1.Secret{}, name)).Should(BeFalse())
		a.succeeds(ctx, percona.restart(a, "restart"))
		a.now(ctx)
		_, again := a.mounted("px-0")
		Expect(again).To(Equal(name))
	})

	It("is not left behind by edits that no operation carried out", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		for _, value := range []string{"100", "200", "300"} {
			Expect(edit(ctx, a, db, func(d framework.Database) {
				configured(d, "perconaxtradb", kubedbv1.ConfigurationSpec{Inline: map[string]string{"a.cnf": "[mysqld]\nwait_timeout = " + value + "\n"}})
			})).To(Succeed())
			Eventually(ctx, func() bool {
				now := see(a, db)
				return now.DatabaseStatus().ObservedGeneration == now.GetGeneration()
			}).Should(BeTrue())
		}
		a.now(ctx)
		rendered := 0
		for _, s := range allSecrets(a) {
			if s.Immutable != nil && *s.Immutable {
				rendered++
			}
		}
		Expect(rendered).To(Equal(1), "only the one that pods mount")
		a.succeeds(ctx, percona.restart(a, "restart"))
		a.runs(ctx, percona, "perconaxtradb", "wait_timeout", "300")
	})
})

var _ = Describe("An operation whose first writes are refused", func() {
	quota := func(a *arena) *corev1.ResourceQuota {
		return &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "no-secrets"},
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/secrets": resource.MustParse("1")}},
		}
	}
	change := func(a *arena, options ...option) framework.Request {
		return percona.reconfigure(a, "change", changes{"perconaxtradb": inline("a.cnf", "[mysqld]\nwait_timeout = 60\n")}, options...)
	}
	full := func(ctx SpecContext, a *arena) *corev1.ResourceQuota {
		GinkgoHelper()
		q := quota(a)
		a.create(ctx, q)
		Eventually(ctx, func() bool {
			now := &corev1.ResourceQuota{}
			a.reads(ctx, q.Name, now)
			return !now.Status.Used.Name("count/secrets", resource.DecimalSI).IsZero()
		}).Should(BeTrue())
		return q
	}

	It("says so, and goes on when they are let through", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		q := full(ctx, a)
		r := change(a)
		a.create(ctx, r)
		Eventually(ctx, a.says(r, opsv1.ConditionSuccessful)).Should(And(
			HaveField("Reason", opsv1.ReasonRetrying), HaveField("Message", ContainSubstring("quota"))))
		Expect(a.Client.Delete(ctx, q)).To(Succeed())
		a.ends(ctx, r, opsv1.PhaseSuccessful)
	})

	It("ends in time, with the gate open and nothing changed", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		since := a.now(ctx)
		full(ctx, a)
		r := change(a, within(3*time.Second))
		a.fails(ctx, r, opsv1.ReasonTimeout)
		a.isFree(percona)
		Expect(a.restarted(ctx, since)).To(BeEmpty())
		Expect(configuration(see(a, db), "perconaxtradb")).To(Equal(kubedbv1.ConfigurationSpec{}))
		Expect(client.IgnoreNotFound(a.Client.Delete(ctx, quota(a)))).To(Succeed())
		a.succeeds(ctx, percona.reconfigure(a, "again", changes{"perconaxtradb": inline("a.cnf", "[mysqld]\nwait_timeout = 60\n")}))
	})
})

var _ = Describe("Credentials that somebody deleted", func() {
	for _, s := range []sample{standalone, percona} {
		It("keep no pod of "+s.title+" from running, and no operation takes one down", func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name)
			a.provision(ctx, db)
			auth, ok := framework.Latest[*corev1.Secret](a.Record, s.name+"-auth")
			Expect(ok).To(BeTrue())
			Expect(a.Client.Delete(ctx, auth)).To(Succeed())
			since := a.now(ctx)
			r := a.fails(ctx, s.restart(a, "bare"), opsv1.ReasonSecretMissing)
			Expect(condition(r, opsv1.ConditionFailed).Message).To(ContainSubstring("Secret " + auth.Name + " is missing"))
			a.isFree(s)

			By("an edit, after which provisioning looks again")
			Expect(edit(ctx, a, db, func(d framework.Database) {
				configured(d, "", kubedbv1.ConfigurationSpec{Inline: map[string]string{"a.cnf": "[" + s.section + "]\n"}})
			})).To(Succeed())
			Eventually(ctx, a.says(db, kubedbv1.ConditionStalled)).Should(And(
				HaveField("Reason", kubedbv1.ReasonCredentialsMissing), HaveField("Message", ContainSubstring(auth.Name))))
			a.now(ctx)
			Expect(a.has(&corev1.Secret{}, auth.Name)()).To(BeFalse(), "with another password than the data know")
			Expect(a.restarted(ctx, since)).To(BeEmpty())

			By("the same Secret again")
			again := auth.DeepCopy()
			again.ObjectMeta = metav1.ObjectMeta{Namespace: auth.Namespace, Name: auth.Name, Labels: auth.Labels}
			a.create(ctx, again)
			Eventually(ctx, a.says(db, kubedbv1.ConditionStalled)).WithTimeout(time.Minute).Should(HaveField("Status", metav1.ConditionFalse))
			a.succeeds(ctx, s.restart(a, "again"))
		})
	}
})

var _ = Describe("Provisioning that a quota forbids", func() {
	It("says so on the database, and goes on when it is let through", func(ctx SpecContext) {
		a := newArena(ctx)
		q := &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "no-services"},
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"services": resource.MustParse("0")}},
		}
		a.create(ctx, q)
		Eventually(ctx, func() bool {
			now := &corev1.ResourceQuota{}
			a.reads(ctx, q.Name, now)
			_, counted := now.Status.Hard["services"]
			return counted
		}).Should(BeTrue())
		db := percona.database(a.Name)
		a.create(ctx, db)
		Eventually(ctx, a.says(db, kubedbv1.ConditionStalled)).Should(And(
			HaveField("Reason", kubedbv1.ReasonObjectRefused), HaveField("Message", ContainSubstring("exceeded quota"))))
		Expect(a.Client.Delete(ctx, q)).To(Succeed())
		Eventually(ctx, a.phase(db)).WithTimeout(time.Minute).Should(Equal(kubedbv1.PhaseReady))
	})
})
