//go:build lab

package tls

import (
	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("TLS from birth", func() {
	for _, s := range samples {
		It("comes with the issuer that is named for "+s.title+", and goes with the database", func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{
				IssuerRef: by("Issuer", "one"), Certificates: []kubedbv1.CertificateSpec{{Alias: "client", IssuerRef: by("Issuer", "two")}},
			})
			a.provision(ctx, db)
			Expect(a.Sync(ctx)).To(Succeed())
			Expect(a.Authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf("one", "two"), "the authorities of all certificates")
			Expect(a.Record.Story().Takedowns()).To(BeEmpty(), "pods start once")
			Expect(a.issued.of(s)).To(Equal(all(s, 1)))
			a.asDocumented(ctx, s, "server", db)

			By("wiping it out")
			patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"deletionPolicy":"WipeOut"}}`))
			Expect(a.Client.Patch(ctx, db, patch)).To(Succeed())
			Expect(a.Client.Delete(ctx, db)).To(Succeed())
			Eventually(ctx, func() []string { return a.left(ctx, s) }).Should(BeEmpty(), "Secrets and objects of cert-manager")
			Expect(a.kept(ctx)).To(ConsistOf(theUsers))
		})

		It("comes with a managed issuer for "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{})
			a.provision(ctx, db)
			Expect(a.Sync(ctx)).To(Succeed())
			Expect(a.Authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf(s.name + "-ca"))
			Expect(a.Record.Story().Takedowns()).To(BeEmpty(), "pods start once")
			Expect(a.issued.of(s)).To(Equal(all(s, 1)))

			By("rotating")
			a.onceEach(s, func() { a.succeeds(ctx, s, "rotate", rotate) })
			Expect(a.Authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf(s.name + "-ca"))

			By("leaving the managed issuer for one of the user's")
			a.succeeds(ctx, s, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
			Expect(a.Authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf(s.name+"-ca", "one"))
			for _, o := range []client.Object{
				&cmv1.Issuer{ObjectMeta: a.named(s.name + "-selfsigned")}, &cmv1.Issuer{ObjectMeta: a.named(s.name + "-ca")},
				&cmv1.Certificate{ObjectMeta: a.named(s.name + "-ca")}, &corev1.Secret{ObjectMeta: a.named(s.name + "-ca")},
			} {
				Eventually(ctx, func() error { return a.Client.Get(ctx, client.ObjectKeyFromObject(o), o) }).
					Should(MatchError(ContainSubstring("not found")), "%T %s", o, o.GetName())
			}
		})
	}

	It("with a managed issuer can be removed", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, &kubedbv1.TLSConfig{})
		a.provision(ctx, db)
		a.removes(ctx, percona, db)
	})

	It("waits for an issuer that comes later, and says what it waits for", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "later")})
		a.create(ctx, db)
		Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesReady)).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("there is no Issuer later"))))
		Expect(a.phase(db)()).To(Equal(kubedbv1.PhaseProvisioning))
		a.create(ctx, a.Issuer("later", "authority-one"))
		Eventually(ctx, a.phase(db)).Should(Equal(kubedbv1.PhaseReady), func() string { return a.tell(db) })
	})

	It("leaves a Secret of somebody else's alone, and says so", func(ctx SpecContext) {
		a := newArena(ctx)
		mine := &corev1.Secret{ObjectMeta: a.named("px-server-cert"), StringData: map[string]string{"mine": "a value of my own"}}
		a.create(ctx, mine)
		db := percona.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
		a.create(ctx, db)
		Eventually(ctx, a.says(db, kubedbv1.ConditionStalled)).Should(And(
			HaveField("Reason", "NameTaken"), HaveField("Message", ContainSubstring("Secret px-server-cert exists"))))
		Expect(framework.All[*corev1.Pod](a.Record)).To(BeEmpty())
		Expect(a.Client.Get(ctx, client.ObjectKeyFromObject(mine), mine)).To(Succeed())
		Expect(mine.Data).To(HaveLen(1))
	})
})

var _ = Describe("A ClusterIssuer", func() {
	for _, s := range samples {
		It("signs for "+s.title+" too", func(ctx SpecContext) {
			a := newArena(ctx)
			authority := a.Authority("shared")
			authority.Namespace, authority.Name, authority.Spec.SecretName = "cert-manager", a.Name, a.Name
			authority.Spec.IssuerRef = cmmeta.IssuerReference{Kind: "ClusterIssuer", Name: a.Name + "-self"}
			self := &cmv1.ClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: a.Name + "-self"},
				Spec: cmv1.IssuerSpec{IssuerConfig: cmv1.IssuerConfig{SelfSigned: &cmv1.SelfSignedIssuer{}}}}
			shared := &cmv1.ClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: a.Name},
				Spec: cmv1.IssuerSpec{IssuerConfig: cmv1.IssuerConfig{CA: &cmv1.CAIssuer{SecretName: a.Name}}}}
			Expect(client.IgnoreAlreadyExists(a.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "cert-manager"}}))).To(Succeed())
			a.create(ctx, self, shared, authority)
			DeferCleanup(func(ctx SpecContext) {
				secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: authority.Namespace, Name: authority.Spec.SecretName}}
				for _, o := range []client.Object{authority, shared, self, secret} {
					Expect(a.Client.Delete(ctx, o)).To(Succeed())
				}
			})
			a.provision(ctx, s.database(a.Name, nil))
			a.succeeds(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("ClusterIssuer", a.Name)}))
			Expect(a.Authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf("shared"))
			Expect(a.issued.of(s)).To(Equal(all(s, 1)))
		})
	}
})
