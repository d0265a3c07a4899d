//go:build lab

package tls

import (
	"context"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("A renewal between operations", func() {
	for _, s := range samples {
		It("is recommended for a restart, and brought to the pods by one that the database asked for, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
			a.provision(ctx, db)
			a.renew(ctx, s.name+"-server-cert")
			a.recommends(ctx, db, "server")
			Expect(a.Record.Story().Takedowns()).To(BeEmpty(), "only operations restart pods")

			before := a.version(ctx)
			a.wantsRestarts(ctx, db)
			Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(HaveField("Reason", "UpToDate"), func() string { return a.tell(db) })
			Expect(a.Sync(ctx)).To(Succeed())
			Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))
			a.mounts(ctx, s)
			Consistently(ctx, func() int { return len(a.requests()) }).WithTimeout(2 * time.Second).Should(Equal(1))
		})

		It("may bring another authority: every pod of "+s.title+" trusts it first", func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
			a.provision(ctx, db)
			old := a.mounts(ctx, s)
			a.renewAuthority(ctx)
			a.renew(ctx, s.name+"-server-cert")
			a.recommends(ctx, db, "server")
			before := a.version(ctx)
			a.wantsRestarts(ctx, db)
			Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(
				HaveField("Reason", Not(Equal("RestartRecommended"))), func() string { return a.tell(db) })
			Expect(a.Sync(ctx)).To(Succeed())
			Expect(a.Record.Story().Restarted(before)).To(Equal(twice(s.pods)))
			for _, pod := range s.pods {
				passed := a.Record.Story().Passage(pod, before)
				Expect(passed).To(HaveLen(2), pod)
				Expect(passed[0]["server.crt"]).To(Equal(old["server.crt"]))
				Expect(a.Authorities(passed[0]["ca.crt"])).To(HaveLen(2), pod)
			}
		})
	}
})

var _ = Describe("An issuer whose authority got another key", func() {
	for _, s := range samples {
		It("is trusted by every pod before a rotation brings its certificates, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
			a.provision(ctx, db)
			old := a.mounts(ctx, s)
			a.renewAuthority(ctx)
			before := a.version(ctx)
			a.onceEach(s, func() { a.succeeds(ctx, s, "rotate", rotate) })
			Expect(a.Record.Story().Restarted(before)).To(Equal(twice(s.pods)))
			a.passedTrust(s, before, old, "one", "one")
		})
	}
})

// recommends waits for the recommendation to restart.
func (a *arena) recommends(ctx context.Context, db framework.Database, alias string) {
	GinkgoHelper()
	Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(And(
		HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "RestartRecommended"),
		HaveField("Message", HavePrefix("issued since the pods started: "+alias+";"))), func() string { return a.tell(db) })
}

// wantsRestarts lets the database ask for restarts with renewed certificates.
func (a *arena) wantsRestarts(ctx context.Context, db framework.Database) {
	GinkgoHelper()
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"autoOps":{"restartOnCertificateRenewal":true}}}`))
	Expect(a.Client.Patch(ctx, db.DeepCopyObject().(client.Object), patch)).To(Succeed())
}

// requests are all requests that there are.
func (a *arena) requests() []framework.Request {
	var all []framework.Request
	for _, r := range framework.All[*opsv1.SinglestoreOpsRequest](a.Record) {
		all = append(all, r)
	}
	for _, r := range framework.All[*opsv1.PerconaXtraDBOpsRequest](a.Record) {
		all = append(all, r)
	}
	return all
}

// renew does what cert-manager does when a certificate is about to expire, and returns when it is issued for good: a cert-manager
// that is behind sometimes issues one twice.
func (a *arena) renew(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(ctx, func() error {
		var c cmv1.Certificate
		if err := a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: name}, &c); err != nil {
			return err
		}
		c.Status.Conditions = append(c.Status.Conditions, cmv1.CertificateCondition{
			Type: cmv1.CertificateConditionIssuing, Status: cmmeta.ConditionTrue, Reason: "Renewing", LastTransitionTime: new(metav1.Now()),
		})
		return a.Client.Status().Update(ctx, &c)
	}).Should(Succeed())
	Eventually(ctx, func() (bool, error) { return a.Issued(ctx, name) }).WithPolling(100*time.Millisecond).MustPassRepeatedly(5).Should(BeTrue(), name)
}

// renewAuthority gives issuer one another certificate with another key, as cert-manager does with rotation policy Always.
func (a *arena) renewAuthority(ctx context.Context) {
	GinkgoHelper()
	key := func() []byte {
		secret, ok := framework.Latest[*corev1.Secret](a.Record, "authority-one")
		Expect(ok).To(BeTrue())
		return secret.Data["tls.key"]
	}
	old := key()
	a.renew(ctx, "authority-one")
	Eventually(ctx, key).ShouldNot(Equal(old))
}
