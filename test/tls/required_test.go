//go:build lab

package tls

import (
	"bytes"

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
		Expect(a.firstRequired()).To(BeNumerically(">", a.lastWithout()), "a pod insisted on TLS while another had none")

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

// configured tells whether a file of the pod's configuration contains the text.
func (a *arena) configured(pod *corev1.Pod, text string) bool {
	for _, v := range pod.Spec.Volumes {
		if v.Name != "custom-config" || v.Secret == nil {
			continue
		}
		secret, ok := framework.Latest[*corev1.Secret](a.Record, v.Secret.SecretName)
		if !ok {
			continue
		}
		for _, content := range secret.Data {
			if bytes.Contains(content, []byte(text)) {
				return true
			}
		}
	}
	return false
}

// insists tells whether the pod refuses clients without TLS.
func (a *arena) insists(pod *corev1.Pod) bool {
	return a.configured(pod, "require_secure_transport = ON")
}

// required tells for each pod whether it insists. Replication is left as it is by all of them.
func (a *arena) required() []bool {
	GinkgoHelper()
	insist := make([]bool, len(percona.pods))
	for i, name := range percona.pods {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue())
		Expect(a.configured(pod, "pxc_encrypt_cluster_traffic = OFF")).To(BeTrue(), name)
		insist[i] = a.insists(pod)
	}
	return insist
}

// firstRequired is the version at which the first pod was made that insists on TLS, lastWithout the version at which the
// last pod without a certificate was told to leave.
func (a *arena) firstRequired() uint64 {
	return a.Record.Story().First(func(e framework.Event) bool {
		pod, ok := e.Object.(*corev1.Pod)
		return ok && a.insists(pod)
	})
}

func (a *arena) lastWithout() uint64 {
	var last uint64
	for _, e := range a.Record.Story().Events {
		if pod, ok := e.Object.(*corev1.Pod); ok && copyOf(pod) == "" && pod.DeletionTimestamp != nil {
			last = e.Version
		}
	}
	return last
}
