//go:build lab

package petset

import (
	"context"
	"crypto/x509"
	"slices"
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
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("ReconfigureTLS on PetSets", func() {
	for _, s := range samples {
		It("adds, rotates and removes certificates: "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			Expect(a.Issuers(ctx, "one")).To(Succeed())
			a.provision(ctx, s)
			before := a.sets(ctx, 0)

			since := a.now(ctx)
			a.ends(ctx, s.tls(a, "add", opsv1.TLSSpec{TLSConfig: issuedBy("one")}), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			added := a.certified(ctx, s, nil)

			mounted := a.mounts(s.pods()[0])
			since = a.now(ctx)
			a.ends(ctx, s.tls(a, "rotate", opsv1.TLSSpec{RotateCertificates: true}), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			a.certified(ctx, s, added)
			Expect(a.mounts(s.pods()[0])).NotTo(Equal(mounted), "the pods mount what they mounted before")

			since = a.now(ctx)
			a.ends(ctx, s.tls(a, "remove", opsv1.TLSSpec{Remove: true}), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			for _, name := range s.pods() {
				Expect(a.mounts(name)).To(BeEmpty(), name)
			}
			Expect(a.sets(ctx, 0)).To(Equal(before), "a PetSet was made again")
			a.isUpToDate(ctx, s)
		})

		It("changes the issuer, and every pod trusts both authorities first: "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			Expect(a.Issuers(ctx, "one", "two")).To(Succeed())
			db := a.provision(ctx, s, secured("one"))
			since, old := a.now(ctx), a.copied(ctx, s)
			before := a.sets(ctx, 0)
			a.ends(ctx, s.tls(a, "issuer", opsv1.TLSSpec{TLSConfig: issuedBy("two")}), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(slices.Concat(s.pods(), s.pods())), "once for trust, once for the certificates")
			a.passedTrust(s, since, old)

			// Whatever the operator says besides: it has seen by now that the next restart has something to change.
			Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(
				HaveField("Reason", BeElementOf("OldAuthorityTrusted", "RestartRecommended")))
			since = a.now(ctx)
			a.ends(ctx, s.request(a, "forget", opsv1.Restart), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			Expect(a.Authorities(a.copied(ctx, s)["ca.crt"])).To(ConsistOf("two"), "the old authority leaves with the next restart")
			Expect(a.sets(ctx, 0)).To(Equal(before), "a PetSet was made again")
			a.isUpToDate(ctx, s)
		})

		It("updates the certificate of one alias: "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			Expect(a.Issuers(ctx, "one")).To(Succeed())
			a.provision(ctx, s, secured("one"))
			since, old := a.now(ctx), a.copied(ctx, s)
			before := a.sets(ctx, 0)
			a.ends(ctx, s.updates(a, "update", kubedbv1.CertificateSpec{
				Alias: "server", DNSNames: []string{"db.example.org"}, Duration: &metav1.Duration{Duration: 240 * time.Hour},
			}), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(Equal(s.pods()))
			copied := a.copied(ctx, s)
			server := leaf(copied, "server")
			Expect(server.DNSNames).To(ContainElements("db.example.org", "localhost"))
			Expect(server.NotAfter.Sub(server.NotBefore)).To(BeNumerically("~", 240*time.Hour, time.Minute))
			Expect(copied["client.crt"]).To(Equal(old["client.crt"]), "a certificate that was not named")

			since = a.now(ctx)
			a.ends(ctx, s.updates(a, "renew-before", kubedbv1.CertificateSpec{
				Alias: "server", RenewBefore: &metav1.Duration{Duration: 48 * time.Hour},
			}), opsv1.PhaseSuccessful)
			Expect(a.restarted(ctx, since)).To(BeEmpty(), "what shows in no certificate restarts no pod")
			Expect(a.sets(ctx, 0)).To(Equal(before), "a PetSet was made again")
			a.isUpToDate(ctx, s)
		})
	}

	It("requires TLS once every pod has its certificate, and no longer: "+percona.title, func(ctx SpecContext) {
		a := newArena(ctx)
		Expect(a.Issuers(ctx, "one")).To(Succeed())
		a.provision(ctx, percona)
		since := a.now(ctx)
		before := a.sets(ctx, 0)
		a.ends(ctx, a.requires("on", true, issuedBy("one")), opsv1.PhaseSuccessful)
		Expect(a.restarted(ctx, since)).To(Equal(slices.Concat(percona.pods(), percona.pods())), "once to offer TLS, once to insist")
		story := a.Record.Story()
		Expect(story.FirstConfigured("require_secure_transport = ON")).To(
			BeNumerically(">", story.LastBare()), "a pod insisted on TLS while another had none")
		a.runs(ctx, percona, "require_secure_transport", "ON")

		since = a.now(ctx)
		a.ends(ctx, a.requires("off", false, kubedbv1.TLSConfig{}), opsv1.PhaseSuccessful)
		Expect(a.restarted(ctx, since)).To(Equal(percona.pods()))
		a.runs(ctx, percona, "require_secure_transport", "")
		for _, name := range percona.pods() {
			Expect(a.mounts(name)).NotTo(BeEmpty(), name+" has lost its certificates")
		}
		Expect(a.sets(ctx, 0)).To(Equal(before), "a PetSet was made again")
		a.isUpToDate(ctx, percona)
	})
})

// updates is a request that changes one certificate.
func (s sample) updates(a *arena, name string, c kubedbv1.CertificateSpec) framework.Request {
	return s.tls(a, name, opsv1.TLSSpec{TLSConfig: kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{c}}})
}

// requires is a request that turns requireSSL on or off.
func (a *arena) requires(name string, on bool, settings kubedbv1.TLSConfig) framework.Request {
	r := percona.tls(a, name, opsv1.TLSSpec{TLSConfig: settings})
	r.(*opsv1.PerconaXtraDBOpsRequest).Spec.TLS.RequireSSL = &on
	return r
}

// passedTrust expects that every pod kept its certificates and trusted both authorities before it got those of the second.
func (a *arena) passedTrust(s sample, since uint64, old map[string][]byte) {
	GinkgoHelper()
	story := a.Record.Story()
	for _, pod := range s.pods() {
		passed := story.Passage(pod, since)
		Expect(passed).To(HaveLen(2), "copies that %s mounted", pod)
		Expect(a.Authorities(passed[0]["ca.crt"])).To(ConsistOf("one", "two"), pod)
		for _, alias := range []string{"server", "client"} {
			Expect(passed[0][alias+".crt"]).To(Equal(old[alias+".crt"]), "the first certificate %s of %s", alias, pod)
			Expect(leaf(passed[1], alias).Issuer.CommonName).To(Equal(a.Name+"-two"), "who signed %s of %s", alias, pod)
		}
	}
}

// tls is a ReconfigureTLS request.
func (s sample) tls(a *arena, name string, change opsv1.TLSSpec) framework.Request {
	r := s.request(a, name, opsv1.ReconfigureTLS)
	s.reconfigureTLS(r, change)
	return r
}

// issuedBy are the settings of TLS with that Issuer.
func issuedBy(name string) kubedbv1.TLSConfig {
	return kubedbv1.TLSConfig{IssuerRef: &corev1.TypedLocalObjectReference{APIGroup: new("cert-manager.io"), Kind: "Issuer", Name: name}}
}

// secured gives a database TLS from birth.
func secured(issuer string) func(framework.Database) {
	return func(db framework.Database) {
		switch d := db.(type) {
		case *kubedbv1.PerconaXtraDB:
			d.Spec.TLS = new(issuedBy(issuer))
		case *kubedbv1alpha2.Singlestore:
			d.Spec.TLS = new(issuedBy(issuer))
		}
	}
}

// issued is how often each certificate was issued.
type issued map[string]int

// certified expects that each of the database's certificates was issued since it had been issued so often, and that all
// pods of a group mount the same copies. It returns how often they are issued now. The suite for TLS counts the requests:
// under load cert-manager issues one twice by itself, when its trigger has not seen the Secret that it has just written.
func (a *arena) certified(ctx context.Context, s sample, before issued) issued {
	GinkgoHelper()
	var list cmv1.CertificateList
	Expect(a.Client.List(ctx, &list, client.InNamespace(a.Name))).To(Succeed())
	now := issued{}
	for _, c := range list.Items {
		if strings.HasPrefix(c.Name, s.name+"-") {
			Expect(c.Status.Revision).To(HaveValue(BeNumerically(">", before[c.Name])), c.Name)
			now[c.Name] = *c.Status.Revision
		}
	}
	Expect(now).To(And(HaveKey(s.name+"-server-cert"), HaveKey(s.name+"-client-cert")))
	for _, pod := range s.pods() {
		Expect(a.mounts(pod)).NotTo(BeEmpty(), pod)
		Expect(a.mounts(pod)).To(Equal(a.mounts(framework.WorkloadOf(pod)+"-0")), pod)
	}
	return now
}

// mounts is the name of the copy of certificates that a pod mounts.
func (a *arena) mounts(name string) string {
	GinkgoHelper()
	pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
	Expect(ok).To(BeTrue(), "there is no pod "+name)
	return framework.CopyOf(pod)
}

// copied is the content of the copy that the sample's first pod mounts.
func (a *arena) copied(ctx context.Context, s sample) map[string][]byte {
	GinkgoHelper()
	Expect(a.Sync(ctx)).To(Succeed())
	name := a.mounts(s.pods()[0])
	secret, ok := framework.Latest[*corev1.Secret](a.Record, name)
	Expect(ok).To(BeTrue(), "there is no Secret "+name)
	return secret.Data
}

// leaf is the certificate of that alias in a copy.
func leaf(data map[string][]byte, alias string) *x509.Certificate {
	GinkgoHelper()
	chain, err := framework.Chain(data[alias+".crt"])
	Expect(err).NotTo(HaveOccurred(), alias)
	return chain[0]
}
