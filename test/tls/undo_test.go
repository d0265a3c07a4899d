//go:build lab

package tls

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// slowly makes pods slow enough to do something while an operation restarts them.
const slowly = `{pod: "*", readyAfter: 1s}`

// everyPodMounts expects certificates of that content, whatever the Secret is called.
func (a *arena) everyPodMounts(ctx context.Context, s sample, content map[string][]byte) {
	GinkgoHelper()
	for _, name := range s.pods {
		pod, ok := framework.Latest[*corev1.Pod](a.Record, name)
		Expect(ok).To(BeTrue(), name)
		var secret corev1.Secret
		Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: framework.CopyOf(pod)}, &secret)).To(Succeed())
		Expect(secret.Data).To(Equal(content), name)
	}
}

// after waits until the operation has recorded its copies and returns the name of the last.
func (a *arena) after(ctx context.Context) string {
	GinkgoHelper()
	var record struct {
		Copies struct {
			After string `json:"after"`
		} `json:"copies"`
	}
	Eventually(ctx, func() string {
		var list appsv1.ControllerRevisionList
		Expect(a.Client.List(ctx, &list, client.InNamespace(a.Name), client.HasLabels{opsv1.LabelKind})).To(Succeed())
		for _, revision := range list.Items {
			if json.Unmarshal(revision.Data.Raw, &record) == nil && record.Copies.After != "" {
				return record.Copies.After
			}
		}
		return ""
	}).ShouldNot(BeEmpty())
	return record.Copies.After
}

// failed waits until the request has failed.
func (a *arena) failed(ctx context.Context, r framework.Request) framework.Request {
	GinkgoHelper()
	Eventually(ctx, a.says(r, opsv1.ConditionFailed)).Should(HaveField("Status", metav1.ConditionTrue), func() string { return a.tell(r) })
	return a.Record.See(r).(framework.Request)
}

// cancel deletes a request that runs and waits until it is gone.
func (a *arena) cancel(ctx context.Context, db framework.Database, r framework.Request) {
	GinkgoHelper()
	Expect(a.Client.Delete(ctx, r)).To(Succeed())
	Eventually(ctx, func() client.Object { return a.Record.See(r) }).Should(BeNil())
	a.serves(ctx, db)
	Expect(a.Record.See(db).(framework.Database).DatabaseStatus().LastOperation).To(
		HaveValue(HaveField("Outcome", kubedbv1.OutcomeCanceled)))
}

var _ = Describe("A pod that does not start with its first certificate", func() {
	for _, s := range samples {
		It("is the only one that was touched, and nothing stays, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			before := a.version(ctx)
			a.faults(ctx, `{pod: "*", refuseSecret: "*-tls-*"}`)
			r := a.run(ctx, s, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
			first := s.pods[0]
			a.undone(ctx, db, r, "PodNotStarting", "pod "+first+" does not start")
			Expect(a.Record.Story().Restarted(before)).To(Equal([]string{first, first}))
			Eventually(ctx, func() []string { return a.left(ctx, s) }).Should(BeEmpty())
			a.faults(ctx)
			a.succeeds(ctx, s, "again", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
		})
	}
})

var _ = Describe("A change of issuer", func() {
	for _, s := range samples {
		for _, failing := range []int{0, len(s.pods) - 1} {
			It("is rolled back when "+s.pods[failing]+" does not start with the new certificate", func(ctx SpecContext) {
				a := newArena(ctx)
				db := s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
				a.provision(ctx, db)
				old := a.mounts(ctx, s)
				a.faults(ctx, slowly)
				r := s.request(a, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "two")}))
				a.create(ctx, r)
				a.faults(ctx, slowly, `{pod: `+s.pods[failing]+`, refuseSecret: `+a.after(ctx)+`}`)
				a.undone(ctx, db, a.failed(ctx, r), "PodNotStarting", "pod "+s.pods[failing]+" does not start")
				a.everyPodMounts(ctx, s, old)
				a.faults(ctx)
				Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesReady)).Should(HaveField("Status", metav1.ConditionTrue))
				a.succeeds(ctx, s, "again", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "two")}))
				a.mounts(ctx, s)
			})
		}
	}

	for _, s := range samples {
		for _, step := range []string{"Trust" + s.lastRoll, s.lastRoll} {
			It("can be cancelled during "+step+" of "+s.title, func(ctx SpecContext) {
				a := newArena(ctx)
				db := s.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
				a.provision(ctx, db)
				old := a.mounts(ctx, s)
				a.faults(ctx, slowly)
				r := s.request(a, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "two")}))
				a.create(ctx, r)
				Eventually(ctx, a.says(r, step)).Should(HaveField("Status", metav1.ConditionFalse))
				a.cancel(ctx, db, r)
				a.everyPodMounts(ctx, s, old)
			})
		}
	}
})

var _ = Describe("Adding TLS", func() {
	for _, s := range samples {
		It("can be cancelled, and nothing stays, on "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, nil)
			a.provision(ctx, db)
			a.faults(ctx, slowly)
			adds := change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
			adds.RequireSSL = new(true)
			r := s.request(a, "add", adds)
			a.create(ctx, r)
			Eventually(ctx, func() bool {
				pod, ok := framework.Latest[*corev1.Pod](a.Record, s.pods[0])
				return ok && framework.CopyOf(pod) != ""
			}).Should(BeTrue(), "a pod with a certificate")
			a.cancel(ctx, db, r)
			Eventually(ctx, func() []string { return a.left(ctx, s) }).Should(BeEmpty())
		})
	}
})
