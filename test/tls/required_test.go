//go:build lab

package tls

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

var _ = Describe("requireSSL", func() {
	It("comes on once every pod has its certificate, goes off, and comes on again", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, nil)
		a.provision(ctx, db)
		before := a.version(ctx)
		adds := change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
		adds.RequireSSL = new(true)
		a.succeeds(ctx, percona, "add", adds)
		Expect(a.Record.Story().Restarted(before)).To(Equal(twice(percona.pods)))
		Expect(a.required()).To(HaveEach(true))
		story := a.Record.Story()
		Expect(story.FirstConfigured(insists)).To(BeNumerically(">", story.LastBare()), "a pod insisted on TLS while another had none")

		for i, on := range []bool{false, true} {
			By(map[bool]string{false: "off", true: "on"}[on])
			before = a.version(ctx)
			a.succeeds(ctx, percona, []string{"off", "on"}[i], opsv1.PerconaXtraDBTLSSpec{RequireSSL: &on})
			Expect(a.required()).To(HaveEach(on))
			Expect(a.Record.Story().Restarted(before)).To(Equal(percona.pods))
			Expect(a.issued.of(percona)).To(Equal(all(percona, 1)))
		}

		By("going with TLS")
		a.removes(ctx, percona, db)
		Expect(a.required()).To(HaveEach(false))
		Expect(a.Record.See(db).(*kubedbv1.PerconaXtraDB).Spec.RequireSSL).To(BeFalse())
	})

	It("is there from birth", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, &kubedbv1.TLSConfig{}).(*kubedbv1.PerconaXtraDB)
		db.Spec.RequireSSL = true
		a.provision(ctx, db)
		Expect(a.required()).To(HaveEach(true))
	})
})

// insists is how the server is told to refuse clients without TLS.
const insists = "require_secure_transport = ON"

// required tells for each pod whether it insists. Replication is left as it is by all of them.
func (a *arena) required() []bool {
	GinkgoHelper()
	insist, story := make([]bool, len(percona.pods)), a.Record.Story()
	for i, name := range percona.pods {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue())
		Expect(story.Configured(pod, "pxc_encrypt_cluster_traffic = OFF")).To(BeTrue(), name)
		insist[i] = story.Configured(pod, insists)
	}
	return insist
}
