//go:build lab

package tls

import (
	"context"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
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

var _ = Describe("TLS from birth", func() {
	for _, s := range samples {
		It("comes with a managed issuer for "+s.title, func(ctx SpecContext) {
			a := newArena(ctx)
			db := s.database(a.Name, &kubedbv1.TLSConfig{})
			a.provision(ctx, db)
			Expect(a.Sync(ctx)).To(Succeed())
			Expect(a.authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf(s.name + "-ca"))
			Expect(a.Record.Story().Takedowns()).To(BeEmpty(), "pods start once")
			Expect(a.issued.of(s)).To(Equal(all(s, 1)))

			By("leaving the managed issuer for one of the user's")
			a.succeeds(ctx, s, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
			Expect(a.authorities(a.mounts(ctx, s)["ca.crt"])).To(ConsistOf(s.name+"-ca", "one"))
			Eventually(ctx, func() error {
				return a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: s.name + "-selfsigned"}, &cmv1.Issuer{})
			}).Should(MatchError(ContainSubstring("not found")))
			Eventually(ctx, func() error {
				return a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: s.name + "-ca"}, &corev1.Secret{})
			}).Should(MatchError(ContainSubstring("not found")))
		})
	}

	It("waits for an issuer that comes later, and says what it waits for", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "later")})
		a.create(ctx, db)
		Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesReady)).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("there is no Issuer later"))))
		Expect(a.phase(db)()).To(Equal(kubedbv1.PhaseProvisioning))
		a.create(ctx, a.issuer("later", "authority-one"))
		Eventually(ctx, a.phase(db)).Should(Equal(kubedbv1.PhaseReady), func() string { return a.tell(db) })
	})
})

var _ = Describe("A ClusterIssuer", func() {
	It("signs too", func(ctx SpecContext) {
		a := newArena(ctx)
		authority := a.authority("shared")
		authority.Namespace, authority.Name, authority.Spec.SecretName = "cert-manager", a.Name, a.Name
		authority.Spec.IssuerRef = cmmeta.IssuerReference{Kind: "ClusterIssuer", Name: a.Name + "-self"}
		self := &cmv1.ClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: a.Name + "-self"},
			Spec: cmv1.IssuerSpec{IssuerConfig: cmv1.IssuerConfig{SelfSigned: &cmv1.SelfSignedIssuer{}}}}
		shared := &cmv1.ClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: a.Name},
			Spec: cmv1.IssuerSpec{IssuerConfig: cmv1.IssuerConfig{CA: &cmv1.CAIssuer{SecretName: a.Name}}}}
		Expect(client.IgnoreAlreadyExists(a.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "cert-manager"}}))).To(Succeed())
		a.create(ctx, self, shared, authority)
		DeferCleanup(func(ctx SpecContext) {
			for _, o := range []client.Object{authority, shared, self} {
				Expect(a.Client.Delete(ctx, o)).To(Succeed())
			}
		})
		a.provision(ctx, cluster.database(a.Name, nil))
		a.succeeds(ctx, cluster, "add", change(kubedbv1.TLSConfig{IssuerRef: by("ClusterIssuer", a.Name)}))
		Expect(a.authorities(a.mounts(ctx, cluster)["ca.crt"])).To(ConsistOf("shared"))
	})
})

var _ = Describe("requireSSL", func() {
	It("comes on once every pod has its certificate, and goes off again", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, nil)
		a.provision(ctx, db)
		before := a.version(ctx)
		adds := change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
		adds.RequireSSL = new(true)
		a.succeeds(ctx, percona, "add", adds)
		Expect(a.Record.Story().Restarted(before)).To(Equal(twice(percona.pods)))
		Expect(a.required()).To(BeTrue())
		Expect(a.firstRequired()).To(BeNumerically(">", a.lastWithout()), "a pod insisted on TLS while another had none")

		off := opsv1.PerconaXtraDBTLSSpec{RequireSSL: new(false)}
		before = a.version(ctx)
		a.succeeds(ctx, percona, "off", off)
		Expect(a.required()).To(BeFalse())
		Expect(a.Record.Story().Restarted(before)).To(Equal(percona.pods))
		Expect(a.issued.of(percona)).To(Equal(all(percona, 1)))
	})
})

// insists tells whether the pod's configuration refuses clients without TLS.
func (a *arena) insists(pod *corev1.Pod) bool {
	for _, v := range pod.Spec.Volumes {
		if v.Name != "custom-config" || v.Secret == nil {
			continue
		}
		secret, ok := framework.Latest[*corev1.Secret](a.Record, v.Secret.SecretName)
		return ok && contains(secret.Data, "require_secure_transport")
	}
	return false
}

func contains(files map[string][]byte, text string) bool {
	for _, content := range files {
		for i := 0; i+len(text) <= len(content); i++ {
			if string(content[i:i+len(text)]) == text {
				return true
			}
		}
	}
	return false
}

func (a *arena) required() bool {
	GinkgoHelper()
	pod, ok := framework.Latest[*corev1.Pod](a.Record, "px-0")
	Expect(ok).To(BeTrue())
	return a.insists(pod)
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

var _ = Describe("A renewal between operations", func() {
	It("is recommended for a restart, and brought to the pods by one that the database asked for", func(ctx SpecContext) {
		a := newArena(ctx)
		db := cluster.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
		a.provision(ctx, db)
		a.renew(ctx, "sdb-server-cert")
		Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", "RestartRecommended"),
			HaveField("Message", HavePrefix("issued since the pods started: server;"))))
		Expect(a.Record.Story().Takedowns()).To(BeEmpty(), "only operations restart pods")

		var live kubedbv1alpha2.Singlestore
		Expect(a.Client.Get(ctx, client.ObjectKeyFromObject(db), &live)).To(Succeed())
		base := live.DeepCopy()
		live.Spec.AutoOps = &kubedbv1.AutoOps{RestartOnCertificateRenewal: true}
		before := a.version(ctx)
		Expect(a.Client.Patch(ctx, &live, client.MergeFrom(base))).To(Succeed())
		Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesUpToDate)).Should(HaveField("Reason", "UpToDate"), func() string { return a.tell(db) })
		Expect(a.Sync(ctx)).To(Succeed())
		Expect(a.Record.Story().Restarted(before)).To(Equal(cluster.pods))
		a.mounts(ctx, cluster)
		Consistently(ctx, func() int { return len(framework.All[*opsv1.SinglestoreOpsRequest](a.Record)) }).
			WithTimeout(2 * time.Second).Should(Equal(1))
	})
})

// renew does what cert-manager does when a certificate is about to expire.
func (a *arena) renew(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(ctx, func() error {
		var c cmv1.Certificate
		if err := a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: name}, &c); err != nil {
			return err
		}
		c.Status.Conditions = append(c.Status.Conditions, cmv1.CertificateCondition{
			Type: cmv1.CertificateConditionIssuing, Status: cmmeta.ConditionTrue, Reason: "Renewing", LastTransitionTime: new(metav1.Now()),
		})
		return a.Client.Status().Update(ctx, &c)
	}).Should(Succeed())
}
