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
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("Every variant of ReconfigureTLS", func() {
	for _, s := range samples {
		It("works one after another on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			a.adds(ctx, s)
			a.updates(ctx, s)
			a.changesIssuer(ctx, s, db)
			a.rotates(ctx, s)
			a.removes(ctx, s, db)
		})
	}
})

func (a *arena) adds(ctx context.Context, s sample) {
	GinkgoHelper()
	By("adding TLS")
	before := a.version(ctx)
	a.succeeds(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))
	Expect(a.issued.of(s)).To(Equal(all(s, 1)))
	data := a.mounts(ctx, s)
	Expect(a.authorities(data["ca.crt"])).To(ConsistOf("one"))
	leaf := a.leaf(data, "server")
	Expect(leaf.DNSNames).To(ConsistOf("*."+s.name+"-pods."+a.Name+".svc", "*."+s.name+"-pods."+a.Name+".svc.cluster.local",
		"*."+s.name+"."+a.Name+".svc", "localhost", s.name, s.name+"."+a.Name+".svc"))
	Expect(leaf.IPAddresses).To(HaveLen(1))
	Expect(leaf.IPAddresses[0].String()).To(Equal("127.0.0.1"))
}

func (a *arena) updates(ctx context.Context, s sample) {
	GinkgoHelper()
	By("updating certificates by alias")
	before := a.version(ctx)
	a.succeeds(ctx, s, "subject", change(kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{{
		Alias: "server", Subject: &kubedbv1.X509Subject{Organizations: []string{"acme"}}, DNSNames: []string{"db.example.org"},
		Duration: &metav1.Duration{Duration: 240 * time.Hour},
	}}}))
	want := all(s, 1)
	want["server"] = 2
	Expect(a.issued.of(s)).To(Equal(want))
	leaf := a.leaf(a.mounts(ctx, s), "server")
	Expect(leaf.Subject.Organization).To(Equal([]string{"acme"}))
	Expect(leaf.DNSNames).To(ContainElement("db.example.org"))
	Expect(leaf.NotAfter.Sub(leaf.NotBefore)).To(BeNumerically("~", 240*time.Hour, time.Minute))
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))

	By("changing what shows in no certificate")
	before = a.version(ctx)
	a.succeeds(ctx, s, "renew-before", change(kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{{
		Alias: "server", RenewBefore: &metav1.Duration{Duration: 48 * time.Hour},
	}}}))
	Expect(a.issued.of(s)).To(Equal(want))
	Expect(a.Record.Story().Restarted(before)).To(BeEmpty())

	By("changing what cert-manager does not notice")
	a.succeeds(ctx, s, "encoding", change(kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{{
		Alias: "client", PrivateKey: &kubedbv1.CertificatePrivateKey{Encoding: "PKCS8"},
	}}}))
	want["client"] = 2
	Expect(a.issued.of(s)).To(Equal(want))
	block, _ := pem.Decode(a.mounts(ctx, s)["client.key"])
	Expect(block.Type).To(Equal("PRIVATE KEY"))
}

func (a *arena) changesIssuer(ctx context.Context, s sample, db framework.Database) {
	GinkgoHelper()
	By("changing the issuer: trust first, then the certificates")
	before, issued := a.version(ctx), a.issued.of(s)
	a.succeeds(ctx, s, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "two")}))
	Expect(a.Record.Story().Restarted(before)).To(Equal(twice(s.pods)))
	for alias, n := range a.issued.of(s) {
		Expect(n).To(Equal(issued[alias]+1), alias)
	}
	Expect(a.authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf("one", "two"))
	Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(HaveField("Reason", "OldAuthorityTrusted"))

	By("forgetting the old authority with the next restart")
	a.create(ctx, s.restart(a, "forget"))
	Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(HaveField("Reason", "UpToDate"))
	Expect(a.Sync(ctx)).To(Succeed())
	Expect(a.authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf("two"))
}

func (a *arena) rotates(ctx context.Context, s sample) {
	GinkgoHelper()
	By("rotating: each certificate is issued once")
	before, issued := a.version(ctx), a.issued.of(s)
	a.succeeds(ctx, s, "rotate", rotate)
	for alias, n := range a.issued.of(s) {
		Expect(n).To(Equal(issued[alias]+1), alias)
	}
	a.mounts(ctx, s)
	Expect(a.Record.Story().Restarted(before)).To(Equal(s.pods))
}

func (a *arena) removes(ctx context.Context, s sample, db framework.Database) {
	GinkgoHelper()
	By("removing TLS: nothing of ours stays, and nothing of the user's goes")
	a.succeeds(ctx, s, "remove", remove)
	for _, name := range s.pods {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue())
		Expect(copyOf(pod)).To(BeEmpty(), name)
	}
	Eventually(ctx, func() []string { return a.left(ctx, s) }).Should(BeEmpty(), "Secrets and objects of cert-manager")
	Expect(a.kept(ctx)).To(ConsistOf("authority-one", "authority-two"))
	Expect(a.says(db, kubedbv1.ConditionCertificatesUpToDate)().Type).To(BeEmpty())
}

// left are Secrets, Certificates and Issuers with the database's name that have to do with TLS.
func (a *arena) left(ctx context.Context, s sample) []string {
	var names []string
	for _, secret := range framework.All[*corev1.Secret](a.Record) {
		if strings.HasPrefix(secret.Name, s.name+"-") && (strings.Contains(secret.Name, "-tls-") || strings.Contains(secret.Name, "-cert")) {
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

// kept are the user's own Certificates.
func (a *arena) kept(ctx context.Context) []string {
	var certificates cmv1.CertificateList
	Expect(a.Client.List(ctx, &certificates, client.InNamespace(a.Name))).To(Succeed())
	var names []string
	for _, c := range certificates.Items {
		names = append(names, c.Name)
	}
	return names
}
