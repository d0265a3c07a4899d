//go:build lab

package tls

import (
	"context"
	"encoding/pem"
	"strings"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("Every variant of ReconfigureTLS", func() {
	for _, s := range []sample{percona, cluster, standalone} {
		It("works one after another on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			a.adds(ctx, s, db)
			a.updates(ctx, s)
			a.changesIssuer(ctx, s, db)
			a.rotates(ctx, s)
			a.renames(ctx, s)
			a.removes(ctx, s, db)
		})
	}
})

func (a *arena) adds(ctx context.Context, s sample, db framework.Database) {
	GinkgoHelper()
	By("adding TLS")
	before := a.version(ctx)
	a.succeeds(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))
	Expect(a.issued.of(s)).To(Equal(all(s, 1)))
	a.lists(ctx, s, db)
	data := a.mounts(ctx, s)
	Expect(a.Authorities(data["ca.crt"])).To(ConsistOf("one"))
	for _, alias := range s.aliases {
		a.asDocumented(ctx, s, alias, db)
		c := leaf(data, alias)
		Expect(c.Subject.CommonName).To(Equal(s.commonName(a.Name)))
		Expect(c.DNSNames).To(ConsistOf("*."+s.name+"-pods."+a.Name+".svc", "*."+s.name+"-pods."+a.Name+".svc.cluster.local",
			"*."+s.name+"."+a.Name+".svc", "localhost", s.name, s.name+"."+a.Name+".svc"))
		Expect(c.IPAddresses).To(HaveLen(1))
		Expect(c.IPAddresses[0].String()).To(Equal("127.0.0.1"))
	}
}

// lists expects every certificate and its Secret in the spec, as defaulting writes them.
func (a *arena) lists(ctx context.Context, s sample, db framework.Database) {
	GinkgoHelper()
	var want []kubedbv1.CertificateSpec
	for _, alias := range s.aliases {
		want = append(want, kubedbv1.CertificateSpec{Alias: alias, SecretName: s.name + "-" + alias + "-cert"})
	}
	now := db.DeepCopyObject().(framework.Database)
	Expect(a.Client.Get(ctx, client.ObjectKeyFromObject(db), now)).To(Succeed())
	switch d := now.(type) {
	case *kubedbv1.PerconaXtraDB:
		Expect(d.Spec.TLS.Certificates).To(ConsistOf(want))
	case *kubedbv1alpha2.Singlestore:
		Expect(d.Spec.TLS.Certificates).To(ConsistOf(want))
	default:
		Fail("unknown kind of database")
	}
}

// asDocumented looks at a Certificate that nobody has changed.
func (a *arena) asDocumented(ctx context.Context, s sample, alias string, db framework.Database) {
	GinkgoHelper()
	var c cmv1.Certificate
	name := s.name + "-" + alias + "-cert"
	Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: name}, &c)).To(Succeed())
	Expect(c.Labels).To(And(
		HaveKeyWithValue("app.kubernetes.io/name", s.kind), HaveKeyWithValue("app.kubernetes.io/instance", s.name),
		HaveKeyWithValue("app.kubernetes.io/managed-by", "kubedb.com"), HaveKeyWithValue("app.kubernetes.io/component", "database")))
	Expect(metav1.IsControlledBy(&c, db)).To(BeTrue(), name)
	Expect(c.Spec.SecretName).To(Equal(name))
	Expect(c.Spec.CommonName).To(Equal(s.commonName(a.Name)))
	Expect(c.Spec.Usages).To(ConsistOf(cmv1.UsageDigitalSignature, cmv1.UsageKeyEncipherment, cmv1.UsageServerAuth, cmv1.UsageClientAuth))
	Expect(c.Spec.IssuerRef.Kind + "/" + c.Spec.IssuerRef.Name).To(Equal("Issuer/one"))
}

// updated changes one certificate.
func (a *arena) updated(ctx context.Context, s sample, name string, c kubedbv1.CertificateSpec) {
	GinkgoHelper()
	a.succeeds(ctx, s, name, change(kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{c}}))
}

func (a *arena) updates(ctx context.Context, s sample) {
	GinkgoHelper()
	By("updating certificates by alias")
	before, want := a.version(ctx), all(s, 1)
	a.updated(ctx, s, "subject", kubedbv1.CertificateSpec{
		Alias: "server", Subject: &kubedbv1.X509Subject{Organizations: []string{"acme"}}, DNSNames: []string{"db.example.org"},
		IPAddresses: []string{"10.0.0.7"}, URIs: []string{"spiffe://example.org/db"}, EmailAddresses: []string{"dba@example.org"},
		Duration: &metav1.Duration{Duration: 240 * time.Hour},
	})
	want["server"]++
	Expect(a.issued.of(s)).To(Equal(want))
	server := leaf(a.mounts(ctx, s), "server")
	Expect(server.Subject.Organization).To(Equal([]string{"acme"}))
	Expect(server.DNSNames).To(ContainElements("db.example.org", "localhost"))
	Expect(server.IPAddresses).To(HaveLen(2))
	Expect(server.URIs).To(HaveLen(1))
	Expect(server.EmailAddresses).To(ConsistOf("dba@example.org"))
	Expect(server.NotAfter.Sub(server.NotBefore)).To(BeNumerically("~", 240*time.Hour, time.Minute))
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))

	By("changing the duration alone")
	before = a.version(ctx)
	a.updated(ctx, s, "duration", kubedbv1.CertificateSpec{Alias: "server", Duration: &metav1.Duration{Duration: 120 * time.Hour}})
	want["server"]++
	Expect(a.issued.of(s)).To(Equal(want))
	server = leaf(a.mounts(ctx, s), "server")
	Expect(server.NotAfter.Sub(server.NotBefore)).To(BeNumerically("~", 120*time.Hour, time.Minute))
	Expect(server.Subject.Organization).To(Equal([]string{"acme"}), "what was not named stays")
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))

	By("changing what shows in no certificate")
	before = a.version(ctx)
	a.updated(ctx, s, "renew-before", kubedbv1.CertificateSpec{Alias: "server", RenewBefore: &metav1.Duration{Duration: 48 * time.Hour}})
	Expect(a.issued.of(s)).To(Equal(want))
	Expect(a.Record.Story().Restarted(before)).To(BeEmpty())
	var c cmv1.Certificate
	Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: s.name + "-server-cert"}, &c)).To(Succeed())
	Expect(c.Spec.RenewBefore).To(HaveValue(Equal(metav1.Duration{Duration: 48 * time.Hour})))

	By("changing what cert-manager does not notice")
	a.updated(ctx, s, "encoding", kubedbv1.CertificateSpec{Alias: "client", PrivateKey: &kubedbv1.CertificatePrivateKey{Encoding: "PKCS8"}})
	want["client"]++
	Expect(a.issued.of(s)).To(Equal(want))
	block, _ := pem.Decode(a.mounts(ctx, s)["client.key"])
	Expect(block.Type).To(Equal("PRIVATE KEY"))
}

func (a *arena) changesIssuer(ctx context.Context, s sample, db framework.Database) {
	GinkgoHelper()
	By("changing the issuer: trust first, then the certificates")
	before, old := a.version(ctx), a.mounts(ctx, s)
	a.onceEach(s, func() { a.succeeds(ctx, s, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "two")})) })
	Expect(a.Record.Story().Restarted(before)).To(Equal(twice(s.pods)))
	a.passedTrust(s, before, old, "one", "two")
	Expect(a.Authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf("one", "two"))
	Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(HaveField("Reason", "OldAuthorityTrusted"))

	By("forgetting the old authority with the next restart")
	before = a.version(ctx)
	a.create(ctx, s.restart(a, "forget"))
	Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(HaveField("Reason", "UpToDate"))
	Expect(a.Sync(ctx)).To(Succeed())
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))
	Expect(a.Authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf("two"))
}

// onceEach expects that every certificate is issued exactly once meanwhile.
func (a *arena) onceEach(s sample, during func()) {
	GinkgoHelper()
	want := a.issued.of(s)
	during()
	for alias := range want {
		want[alias]++
	}
	Expect(a.issued.of(s)).To(Equal(want), func() string { return "CertificateRequests; cert-manager says:\n" + a.whyIssued() })
}

// passedTrust expects that every pod kept its certificates and trusted all those authorities before it got others.
func (a *arena) passedTrust(s sample, after uint64, old map[string][]byte, authorities ...string) {
	GinkgoHelper()
	for _, pod := range s.pods {
		passed := a.Record.Story().Passage(pod, after)
		Expect(passed).To(HaveLen(2), "copies that %s mounted", pod)
		Expect(a.Authorities(passed[0]["ca.crt"])).To(ConsistOf(authorities), pod)
		for _, alias := range s.aliases {
			Expect(passed[0][alias+".crt"]).To(Equal(old[alias+".crt"]), pod)
			Expect(passed[1][alias+".crt"]).NotTo(Equal(old[alias+".crt"]), pod)
			Expect(passed[1][alias+".key"]).NotTo(Equal(old[alias+".key"]), "cert-manager's rotation policy is Always")
		}
	}
}

func (a *arena) rotates(ctx context.Context, s sample) {
	GinkgoHelper()
	By("rotating: each certificate is issued once")
	before, old := a.version(ctx), a.mounts(ctx, s)
	a.onceEach(s, func() { a.succeeds(ctx, s, "rotate", rotate) })
	Expect(a.mounts(ctx, s)["server.key"]).NotTo(Equal(old["server.key"]), "cert-manager's rotation policy is Always")
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))
}

func (a *arena) renames(ctx context.Context, s sample) {
	GinkgoHelper()
	By("giving a Secret another name: the old one goes")
	a.updated(ctx, s, "rename", kubedbv1.CertificateSpec{Alias: "client", SecretName: "for-clients"})
	Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: "for-clients"}, &corev1.Secret{})).To(Succeed())
	Eventually(ctx, func() bool {
		_, ok := framework.Latest[*corev1.Secret](a.Record, s.name+"-client-cert")
		return ok
	}).Should(BeFalse(), "the Secret of the old name")
}

func (a *arena) removes(ctx context.Context, s sample, db framework.Database) {
	GinkgoHelper()
	By("removing TLS: nothing of ours stays, and nothing of the user's goes")
	before := a.version(ctx)
	a.succeeds(ctx, s, "remove", remove)
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))
	for _, name := range s.pods {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue())
		Expect(framework.CopyOf(pod)).To(BeEmpty(), name)
	}
	Eventually(ctx, func() []string { return a.left(ctx, s) }).Should(BeEmpty(), "Secrets and objects of cert-manager")
	Expect(a.kept(ctx)).To(ConsistOf(theUsers))
	Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(BeZero()) // provisioning removes it, once resumed
}

// left are Secrets, Certificates and Issuers of the database's that have to do with TLS.
func (a *arena) left(ctx context.Context, s sample) []string {
	var names []string
	for _, secret := range framework.All[*corev1.Secret](a.Record) {
		ours := strings.HasPrefix(secret.Name, s.name+"-") && (strings.Contains(secret.Name, "-tls-") || strings.HasSuffix(secret.Name, "-cert"))
		if ours || secret.Name == s.name+"-ca" || secret.Name == "for-clients" {
			names = append(names, "Secret "+secret.Name)
		}
	}
	var certificates cmv1.CertificateList
	var issuers cmv1.IssuerList
	Expect(a.Client.List(ctx, &certificates, client.InNamespace(a.Name))).To(Succeed())
	Expect(a.Client.List(ctx, &issuers, client.InNamespace(a.Name))).To(Succeed())
	for _, c := range certificates.Items {
		if strings.HasPrefix(c.Name, s.name+"-") {
			names = append(names, "Certificate "+c.Name)
		}
	}
	for _, i := range issuers.Items {
		if strings.HasPrefix(i.Name, s.name+"-") {
			names = append(names, "Issuer "+i.Name)
		}
	}
	return names
}

// theUsers are the Certificates, Issuers and Secrets of every arena that are nobody's but the user's.
var theUsers = []string{
	"Certificate authority-one", "Certificate authority-two", "Issuer one", "Issuer two", "Issuer self",
	"Secret authority-one", "Secret authority-two", "Secret license",
}

// kept are the user's own Certificates, Issuers and Secrets that are there.
func (a *arena) kept(ctx context.Context) []string {
	var certificates cmv1.CertificateList
	var issuers cmv1.IssuerList
	Expect(a.Client.List(ctx, &certificates, client.InNamespace(a.Name))).To(Succeed())
	Expect(a.Client.List(ctx, &issuers, client.InNamespace(a.Name))).To(Succeed())
	var names []string
	for _, c := range certificates.Items {
		names = append(names, "Certificate "+c.Name)
	}
	for _, i := range issuers.Items {
		names = append(names, "Issuer "+i.Name)
	}
	for _, s := range framework.All[*corev1.Secret](a.Record) {
		if s.Labels["app.kubernetes.io/managed-by"] != "kubedb.com" {
			names = append(names, "Secret "+s.Name)
		}
	}
	return names
}
