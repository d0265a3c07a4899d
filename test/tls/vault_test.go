//go:build lab

package tls

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"sync/atomic"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/certs/certstest"
)

// vault makes an issuer that is ready and whose requests nobody in the lab answers, unless a spec does.
func (a *arena) vault(ctx context.Context) {
	GinkgoHelper()
	issuer := &cmv1.Issuer{ObjectMeta: a.named("vault"), Spec: cmv1.IssuerSpec{IssuerConfig: cmv1.IssuerConfig{Vault: &cmv1.VaultIssuer{
		Server: "https://vault.example.org", Path: "pki/sign/db",
		Auth: cmv1.VaultAuth{TokenSecretRef: &cmmeta.SecretKeySelector{LocalObjectReference: cmmeta.LocalObjectReference{Name: "token"}}},
	}}}}
	a.create(ctx, issuer)
	issuer.Status.Conditions = []cmv1.IssuerCondition{{Type: cmv1.IssuerConditionReady, Status: cmmeta.ConditionTrue, Reason: "VaultVerified"}}
	Expect(a.Client.Status().Update(ctx, issuer)).To(Succeed())
}

// answers fills in the status of every request to the vault, until the spec ends.
func (a *arena) answers(ctx context.Context, answer func(*cmv1.CertificateRequest) cmv1.CertificateRequestCondition) {
	GinkgoHelper()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	w, err := a.Client.Watch(watching, &cmv1.CertificateRequestList{}, client.InNamespace(a.Name))
	Expect(err).NotTo(HaveOccurred())
	ended := make(chan struct{})
	DeferCleanup(func() { stop(); <-ended })
	go func() {
		defer GinkgoRecover()
		defer close(ended)
		for e := range w.ResultChan() {
			r, ok := e.Object.(*cmv1.CertificateRequest)
			if !ok || r.Spec.IssuerRef.Name != "vault" || r.Status.FailureTime != nil || len(r.Status.Certificate) > 0 {
				continue
			}
			c := answer(r)
			c.Type, c.LastTransitionTime = cmv1.CertificateRequestConditionReady, new(metav1.Now())
			r.Status.Conditions = append(r.Status.Conditions, c)
			_ = a.Client.Status().Update(watching, r) // a conflict brings another event
		}
	}()
}

// denies answers every request with a failure.
func denies(r *cmv1.CertificateRequest) cmv1.CertificateRequestCondition {
	r.Status.FailureTime = new(metav1.Now())
	return cmv1.CertificateRequestCondition{
		Status: cmmeta.ConditionFalse, Reason: cmv1.CertificateRequestReasonFailed, Message: "the vault is sealed",
	}
}

// hierarchy is a root that stays offline and an authority below it that signs.
type hierarchy struct{ root, between certstest.Authority }

func newHierarchy(name string) *hierarchy {
	root := certstest.NewAuthority(name, time.Now(), 1000*time.Hour)
	return &hierarchy{root, root.Below("between", time.Now(), 1000*time.Hour)}
}

// signs answers a request as Vault does: with the chain up to the root, and the root apart.
func (h *hierarchy) signs(r *cmv1.CertificateRequest) cmv1.CertificateRequestCondition {
	GinkgoHelper()
	block, _ := pem.Decode(r.Spec.Request)
	Expect(block).NotTo(BeNil())
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	Expect(err).NotTo(HaveOccurred())
	made := h.between.Sign(&x509.Certificate{
		Subject: csr.Subject, DNSNames: csr.DNSNames, IPAddresses: csr.IPAddresses, URIs: csr.URIs, EmailAddresses: csr.EmailAddresses,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(500 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, csr.PublicKey)
	r.Status.Certificate, r.Status.CA = certstest.PEM(made, h.between.Certificate), h.root.PEM()
	return cmv1.CertificateRequestCondition{Status: cmmeta.ConditionTrue, Reason: cmv1.CertificateRequestReasonIssued}
}

var _ = Describe("An issuer outside the cluster", func() {
	for _, s := range samples {
		It("signs with chains, and its new root is trusted before it is used, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			a.vault(ctx)
			var now atomic.Pointer[hierarchy]
			now.Store(newHierarchy("first"))
			a.answers(ctx, func(r *cmv1.CertificateRequest) cmv1.CertificateRequestCondition { return now.Load().signs(r) })
			a.provision(ctx, s.database(a.Name, nil))
			a.succeeds(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "vault")}))
			old := a.mounts(ctx, s)
			Expect(a.Authorities(old["ca.crt"])).To(ConsistOf("first"))
			Expect(a.Authorities(old["server.crt"])).To(HaveLen(2), "the certificate and the one between it and the root")

			now.Store(newHierarchy("second"))
			before := a.version(ctx)
			a.onceEach(s, func() { a.succeeds(ctx, s, "rotate", rotate) })
			Expect(a.Record.Story().Restarted(before)).To(Equal(twice(s.pods)))
			a.passedTrust(s, before, old, "first", "second")
		})
	}
})
