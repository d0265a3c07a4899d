//go:build lab

package tls

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
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

// within limits each step, and lets nothing be tried twice.
func within(d time.Duration) func(*opsv1.OpsRequestSpec) {
	return func(s *opsv1.OpsRequestSpec) { s.Timeout, s.MaxRetries = &metav1.Duration{Duration: d}, new(int32(0)) }
}

// undone expects that the request failed for that reason and that the database serves as before.
func (a *arena) undone(ctx context.Context, db framework.Database, r framework.Request, reason, message string) {
	GinkgoHelper()
	Expect(r.RequestStatus().Phase).To(Equal(opsv1.PhaseFailed), a.tell(r))
	Expect(framework.Condition(r.RequestStatus().Conditions, opsv1.ConditionFailed)).To(And(
		HaveField("Reason", reason), HaveField("Message", ContainSubstring(message))))
	Eventually(ctx, a.phase(db)).Should(Equal(kubedbv1.PhaseReady))
	Expect(a.says(db, kubedbv1.ConditionPaused)().Type).To(BeEmpty(), "the gate is open")
	Expect(a.says(db, kubedbv1.ConditionDegraded)().Type).To(BeEmpty())
}

var _ = Describe("Adding TLS that cannot be", func() {
	It("ends when the issuer is not ready, and a corrected request works", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, nil)
		a.provision(ctx, db)
		broken := a.issuer("broken", "nowhere")
		a.create(ctx, broken)
		before := a.version(ctx)
		r := a.run(ctx, percona, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "broken")}), within(8*time.Second))
		a.undone(ctx, db, r, opsv1.ReasonTimeout, "Issuer broken is not ready")
		Expect(a.Sync(ctx)).To(Succeed())
		Expect(a.Record.Story().Restarted(before)).To(BeEmpty())
		Expect(a.left(ctx, percona)).To(BeEmpty())
		a.succeeds(ctx, percona, "again", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}))
		a.mounts(ctx, percona)
	})

	It("leaves a Secret of somebody else's alone", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, nil)
		a.provision(ctx, db)
		a.create(ctx, &corev1.Secret{ObjectMeta: a.named("px-client-cert"), StringData: map[string]string{"mine": "a value of my own"}})
		r := a.run(ctx, percona, "add", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")}), within(time.Minute))
		a.undone(ctx, db, r, "NameTaken", "Secret px-client-cert exists and is not controlled by cert-manager")
		Expect(a.Sync(ctx)).To(Succeed())
		Expect(a.left(ctx, percona)).To(ConsistOf("Secret px-client-cert"))
	})
})

var _ = Describe("A change of issuer", func() {
	It("goes back through trust when a pod does not come up with the new certificate", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
		a.provision(ctx, db)
		old := a.mounts(ctx, percona)
		a.faults(ctx, `- {pod: "px-*", readyAfter: 500ms}`)
		r := percona.request(a, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "two")}), within(time.Minute))
		a.create(ctx, r)
		a.faults(ctx, fmt.Sprintf("- {pod: \"px-*\", readyAfter: 500ms}\n- {pod: px-1, refuseSecret: %q}", a.after(ctx)))
		Eventually(ctx, a.says(r, opsv1.ConditionFailed)).Should(HaveField("Status", metav1.ConditionTrue), func() string { return a.tell(r) })
		a.undone(ctx, db, a.Record.See(r).(framework.Request), "PodNotStarting", "pod px-1 does not start")
		Expect(a.Sync(ctx)).To(Succeed())
		pod, _ := framework.Latest[*corev1.Pod](a.Record, "px-2")
		var secret corev1.Secret
		Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: copyOf(pod)}, &secret)).To(Succeed())
		Expect(secret.Data).To(Equal(old))
		a.faults(ctx, `[]`)
		Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesReady)).Should(HaveField("Status", metav1.ConditionTrue))
	})

	It("can be cancelled while pods learn to trust", func(ctx SpecContext) {
		a := newArena(ctx)
		db := cluster.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
		a.provision(ctx, db)
		old := a.mounts(ctx, cluster)
		a.faults(ctx, `- {pod: "sdb-*", readyAfter: 1s}`)
		r := cluster.request(a, "issuer", change(kubedbv1.TLSConfig{IssuerRef: by("Issuer", "two")}))
		a.create(ctx, r)
		Eventually(ctx, a.says(r, "TrustRestartLeafPods")).Should(HaveField("Status", metav1.ConditionFalse))
		Expect(a.Client.Delete(ctx, r)).To(Succeed())
		Eventually(ctx, func() client.Object { return a.Record.See(r) }).Should(BeNil())
		Eventually(ctx, a.phase(db)).Should(Equal(kubedbv1.PhaseReady))
		Expect(a.Sync(ctx)).To(Succeed())
		for _, name := range cluster.pods {
			pod, _ := framework.Latest[*corev1.Pod](a.Record, name)
			var secret corev1.Secret
			Expect(a.Client.Get(ctx, client.ObjectKey{Namespace: a.Name, Name: copyOf(pod)}, &secret)).To(Succeed())
			Expect(secret.Data).To(Equal(old), name)
		}
	})
})

var _ = Describe("A rotation", func() {
	It("survives that Secrets and Certificates are deleted under its hands", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name, &kubedbv1.TLSConfig{IssuerRef: by("Issuer", "one")})
		a.provision(ctx, db)
		r := percona.request(a, "rotate", rotate)
		a.create(ctx, r)
		Eventually(ctx, a.says(r, "IssueCertificates")).ShouldNot(HaveField("Status", metav1.ConditionUnknown))
		for _, o := range []client.Object{
			&corev1.Secret{ObjectMeta: a.named("px-server-cert")}, &cmv1.Certificate{ObjectMeta: a.named("px-client-cert")},
		} {
			Expect(client.IgnoreNotFound(a.Client.Delete(ctx, o))).To(Succeed())
		}
		Eventually(ctx, a.says(r, opsv1.ConditionSuccessful)).Should(HaveField("Status", metav1.ConditionTrue), func() string { return a.tell(r) })
		Eventually(ctx, a.says(db, kubedbv1.ConditionCertificatesReady)).Should(HaveField("Status", metav1.ConditionTrue))
	})
})

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
