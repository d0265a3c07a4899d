//go:build lab

package acceptance

import (
	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// tlsRequest adds TLS, in the shape of the guides.
const tlsRequest = `
apiVersion: ops.kubedb.com/v1alpha1
kind: PerconaXtraDBOpsRequest
metadata:
  name: add-tls
spec:
  type: ReconfigureTLS
  databaseRef:
    name: px
  tls:
    requireSSL: true
    issuerRef:
      apiGroup: cert-manager.io
      kind: Issuer
      name: px-issuer
    certificates:
      - alias: server
        subject:
          organizations:
            - kubedb:server
        emailAddresses:
          - dba@example.org
`

// This version admits ReconfigureTLS and does not carry it out. The file goes when it does.
var _ = Describe("ReconfigureTLS, until it is carried out", func() {
	It("is admitted with a warning, waits and says so, holds nothing up and can be deleted", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		a.create(ctx, &certmanagerv1.Issuer{
			ObjectMeta: metav1.ObjectMeta{Namespace: a.Name, Name: "px-issuer"},
			Spec:       certmanagerv1.IssuerSpec{IssuerConfig: certmanagerv1.IssuerConfig{SelfSigned: &certmanagerv1.SelfSignedIssuer{}}},
		})
		out := a.mustKubectl(ctx, tlsRequest, "apply", "-f", "-")
		Expect(out).To(And(ContainSubstring("Warning"), ContainSubstring("does not carry them out")))
		r := percona.request(a, "add-tls", "")
		a.waits(ctx, r, opsv1.ReasonNotSupported)
		a.isFree(percona)
		a.succeeds(ctx, percona.restart(a, "passes-it"))
		a.waits(ctx, r, opsv1.ReasonNotSupported)
		a.mustKubectl(ctx, tlsRequest, "delete", "-f", "-", "--timeout=20s")
	})
})
