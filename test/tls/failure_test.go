//go:build lab

package tls

import (
	"context"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// within limits each step, and says how often it is tried again.
func within(d time.Duration, retries int32) func(*opsv1.OpsRequestSpec) {
	return func(s *opsv1.OpsRequestSpec) { s.Timeout, s.MaxRetries = &metav1.Duration{Duration: d}, &retries }
}

// undone expects that the request failed for that reason and that the database serves as before.
func (a *arena) undone(ctx context.Context, db framework.Database, r framework.Request, reason, message string) {
	GinkgoHelper()
	Expect(r.RequestStatus().Phase).To(Equal(opsv1.PhaseFailed), a.tell(r))
	Expect(framework.Condition(r.RequestStatus().Conditions, opsv1.ConditionFailed)).To(And(
		HaveField("Reason", reason), HaveField("Message", ContainSubstring(message))))
	a.serves(ctx, db)
}

// serves expects that the database is Ready and free.
func (a *arena) serves(ctx context.Context, db framework.Database) {
	GinkgoHelper()
	Eventually(ctx, a.phase(db)).Should(Equal(kubedbv1.PhaseReady))
	Expect(a.Sync(ctx)).To(Succeed())
	Expect(a.says(db, kubedbv1.ConditionPaused)().Type).To(BeEmpty(), "the gate is open")
	Expect(a.says(db, kubedbv1.ConditionDegraded)().Type).To(BeEmpty())
}

var _ = Describe("Adding TLS that cannot be", func() {
	for _, s := range samples {
		It("ends when the issuer is not ready, and a corrected request works, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			a.create(ctx, a.Issuer("broken", "nowhere"))
			before := a.version(ctx)
			r := a.run(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "broken")}), within(6*time.Second, 0))
			a.undone(ctx, db, r, opsv1.ReasonTimeout, "Issuer broken is not ready")
			Expect(a.Record.Story().Restarted(before)).To(BeEmpty())
			Expect(a.left(ctx, s)).To(BeEmpty())
			a.succeeds(ctx, s, "again", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
			a.mounts(ctx, s)
		})
	}

	for _, s := range []sample{percona, cluster} {
		It("ends when a certificate does not become ready, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			a.vault(ctx)
			before := a.version(ctx)
			r := a.run(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "vault")}), within(6*time.Second, 0))
			a.undone(ctx, db, r, opsv1.ReasonTimeout, "certificate server: ")
			Expect(a.Record.Story().Restarted(before)).To(BeEmpty())
			Expect(a.left(ctx, s)).To(BeEmpty())
		})

		It("ends when the issuer refuses, with its words and as many attempts as were asked for, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			a.vault(ctx)
			a.answers(ctx, denies)
			r := a.run(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "vault")}), within(time.Minute, 1))
			a.undone(ctx, db, r, "IssuanceFailed", "the vault is sealed")
			// CertificateRequests do not tell: when it tries again, cert-manager may replace one that was made with the key before.
			Expect(a.issued.askedFor(s)).To(HaveEach(BeNumerically("<=", 1)), "the one retry")
			Expect(a.issued.askedFor(s)).To(ContainElement(1))
			Expect(a.left(ctx, s)).To(BeEmpty())
		})

		It("leaves a Secret of somebody else's alone, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			name, mine := s.name+"-client-cert", map[string]string{"mine": "a value of my own"}
			a.create(ctx, &corev1.Secret{ObjectMeta: a.named(name), StringData: mine})
			r := a.run(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}), within(time.Minute, 0))
			a.undone(ctx, db, r, "NameTaken", "Secret "+name+" exists and is not controlled by cert-manager")
			Expect(a.left(ctx, s)).To(ConsistOf("Secret " + name))
			var secret corev1.Secret
			Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: name}, &secret)).To(Succeed())
			Expect(secret.Data).To(HaveLen(1))
		})

		It("leaves a Certificate of somebody else's alone, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			name, mine := s.name+"-server-cert", a.Authority("mine")
			mine.Name, mine.Spec.SecretName = name, name
			a.create(ctx, mine)
			r := a.run(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}), within(time.Minute, 0))
			a.undone(ctx, db, r, "NameTaken", "Certificate "+name+" exists and is not controlled by")
			Expect(a.left(ctx, s)).To(ConsistOf("Certificate "+name, "Secret "+name))
		})
	}
})

var _ = Describe("A rotation", func() {
	for _, s := range samples {
		It("survives that Secrets and Certificates are deleted under its hands, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
			a.provision(ctx, db)
			r := s.request(a, "rotate", rotate)
			a.create(ctx, r)
			Eventually(ctx, a.says(r, "IssueCertificates")).Should(HaveField("Status", Not(BeElementOf(metav1.ConditionUnknown, metav1.ConditionStatus("")))))
			for _, o := range []client.Object{
				&corev1.Secret{ObjectMeta: a.named(s.name + "-server-cert")}, &cmv1.Certificate{ObjectMeta: a.named(s.name + "-client-cert")},
			} {
				Expect(client.IgnoreNotFound(a.Client.Delete(ctx, o))).To(Succeed())
			}
			Eventually(ctx, a.says(r, opsv1.ConditionSuccessful)).Should(HaveField("Status", metav1.ConditionTrue), func() string { return a.tell(r) })
			Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesReady)).Should(HaveField("Status", metav1.ConditionTrue))
			a.serves(ctx, db)
		})
	}

	for _, s := range []sample{percona, cluster} {
		It("ends when a Secret that is deleted does not come back, and the pods keep what they have, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
			a.provision(ctx, db)
			old, before := a.mounts(ctx, s), a.version(ctx)
			Expect(a.Client.Delete(ctx, &corev1.Secret{ObjectMeta: a.named("authority-one")})).To(Succeed())
			Expect(a.Client.Delete(ctx, &cmv1.Certificate{ObjectMeta: a.named("authority-one")})).To(Succeed())
			Expect(client.IgnoreNotFound(a.Client.Delete(ctx, &corev1.Secret{ObjectMeta: a.named("authority-one")}))).To(Succeed())
			Expect(a.Client.Delete(ctx, &corev1.Secret{ObjectMeta: a.named(s.name + "-server-cert")})).To(Succeed())
			r := a.run(ctx, s, "rotate", rotate, within(8*time.Second, 0))
			a.undone(ctx, db, r, opsv1.ReasonTimeout, "Issuer one is not ready")
			Expect(a.Record.Story().Restarted(before)).To(BeEmpty())
			a.everyPodMounts(ctx, s, old)
		})
	}
})

var _ = Describe("A change to an issuer that is not ready", func() {
	for _, s := range []sample{percona, cluster} {
		It("ends with the spec, the Certificates and the pods as they were, and a corrected request works, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
			a.provision(ctx, db)
			a.create(ctx, a.Issuer("broken", "nowhere"))
			old, before := a.mounts(ctx, s), a.version(ctx)
			r := a.run(ctx, s, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "broken")}), within(8*time.Second, 0))
			a.undone(ctx, db, r, opsv1.ReasonTimeout, "Issuer broken is not ready")
			Expect(a.Record.Story().Restarted(before)).To(BeEmpty())
			a.everyPodMounts(ctx, s, old)
			for _, alias := range s.aliases {
				a.asDocumented(ctx, s, alias, db) // by issuer one
			}
			a.succeeds(ctx, s, "again", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "two")}))
			Expect(a.Authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf("one", "two"))
		})
	}
})
