//go:build lab

package acceptance

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// newOperator gives the spec the operator to kill. Whatever happens, it runs again afterwards.
func newOperator(ctx context.Context) *framework.Operator {
	GinkgoHelper()
	operator, err := lab.Operator(ctx)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) {
		Expect(operator.Start(ctx)).To(Succeed())
		Expect(operator.Close()).To(Succeed())
	})
	return operator
}

var _ = Describe("While the operator is away", Serial, func() {
	It("the API server itself keeps the gate of a paused database shut, and lets everything else through", func(ctx SpecContext) {
		operator := newOperator(ctx)
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		r := percona.restart(a, "the-holder")
		a.stopsAtFirstPod(ctx, percona, r)
		Expect(operator.Kill(ctx)).To(Succeed())

		By("with its webhooks failing: no spec is written, metadata and status are, and deletion is judged")
		edit := `{"spec":{"deletionPolicy":"Halt"}}`
		Expect(a.kubectl(ctx, "", "patch", "px/px", "--type=merge", "-p", edit).Failed()).To(BeTrue(), "an edit was admitted")
		a.mustKubectl(ctx, "", "label", "px/px", "team=payments")
		a.mustKubectl(ctx, "", "label", "pxcops/the-holder", "team=payments")
		a.mustKubectl(ctx, "", "patch", "px/px", "--subresource=status", "--type=merge", "-p",
			`{"status":{"authSecret":{"lastUpdateTimestamp":"2026-01-01T00:00:00Z"}}}`)
		out := a.kubectl(ctx, "", "delete", "px/px", "--wait=false")
		Expect(out.Failed()).To(BeTrue(), "a paused database was deleted")
		Expect(out.String()).To(And(ContainSubstring("drydock-deletion"), ContainSubstring("the-holder")))

		By("without its webhooks: the policies alone refuse, by name")
		withoutWebhooks(ctx)
		out = a.kubectl(ctx, "", "patch", "px/px", "--type=merge", "-p", edit)
		Expect(out.Failed()).To(BeTrue(), "an edit of a paused database was admitted without webhooks")
		Expect(out.String()).To(And(ContainSubstring("drydock-paused-gate"), ContainSubstring("the-holder"), ContainSubstring("cancel")))
		out = a.kubectl(ctx, strings.ReplaceAll(restartRequest, "RESTART", "anonymous"), "create", "-f", "-")
		Expect(out.Failed()).To(BeTrue(), "a request without its author's name was admitted")
		Expect(out.String()).To(ContainSubstring("ops.kubedb.com/requested-by"))

		By("and when it is back, the operation goes on")
		a.faults(ctx)
		Expect(operator.Start(ctx)).To(Succeed())
		a.ends(ctx, r, opsv1.PhaseSuccessful)
	})

	It("a namespace with a paused database in it goes as soon as the operator is back", func(ctx SpecContext) {
		operator := newOperator(ctx)
		a := newArena(ctx)
		a.provision(ctx, cluster.database(a.Name))
		a.stopsAtFirstPod(ctx, cluster, cluster.restart(a, "the-holder"))
		Expect(operator.Kill(ctx)).To(Succeed())
		a.Record.Seal()
		a.mustKubectl(ctx, "", "delete", "namespace", a.Name, "--wait=false")
		Expect(operator.Start(ctx)).To(Succeed())
		Expect(a.Delete(ctx, patience)).To(Succeed())
	})

	It("what came in unasked is defaulted and checked when it is back, and carried out once it is right", func(ctx SpecContext) {
		operator := newOperator(ctx)
		a := newArena(ctx)
		Expect(operator.Kill(ctx)).To(Succeed())
		withoutWebhooks(ctx)
		for name, extra := range map[string]string{"bare": "", "bad": `, requireSSL: true, configuration: {inline: {a.cnf: "datadir = /tmp"}}`} {
			a.mustKubectl(ctx, fmt.Sprintf(unasked, name, extra), "create", "-f", "-")
		}
		Expect(operator.Start(ctx)).To(Succeed())
		bare, bad := percona.database(a.Name), percona.database(a.Name)
		bare.SetName("bare")
		bad.SetName("bad")
		a.becomes(ctx, bare, kubedbv1.PhaseReady)
		Eventually(ctx, a.says(bad, kubedbv1.ConditionStalled)).Should(And(
			HaveField("Status", metav1.ConditionTrue), HaveField("Reason", opsv1.ReasonInvalid),
			HaveField("Message", And(ContainSubstring("spec.tls"), ContainSubstring("spec.configuration.inline[a.cnf]")))))
		Expect(a.kubectl(ctx, "", "get", "statefulset", "bad").Failed()).To(BeTrue(), "a spec that is refused was carried out")
		a.mustKubectl(ctx, "", "patch", "px/bad", "--type=merge", "-p", `{"spec":{"requireSSL":false,"configuration":null}}`)
		a.becomes(ctx, bad, kubedbv1.PhaseReady)
		Expect(a.says(bad, kubedbv1.ConditionStalled)()).To(HaveField("Status", metav1.ConditionFalse))
	})

	It("leaves nothing to write when it comes back to databases that are as they should be", func(ctx SpecContext) {
		operator := newOperator(ctx)
		a := newArena(ctx)
		for _, s := range samples {
			a.provision(ctx, s.database(a.Name))
		}
		a.succeeds(ctx, percona.restart(a, "restart"))
		a.settles(ctx)
		audit, err := a.Audit()
		Expect(err).NotTo(HaveOccurred())
		Expect(operator.Kill(ctx)).To(Succeed())
		Expect(operator.Start(ctx)).To(Succeed())
		Consistently(ctx, func() map[string]int {
			calls, err := audit.Calls(framework.OperatorUser, a.Name)
			Expect(err).NotTo(HaveOccurred())
			return framework.Count(calls, framework.Call.Write)
		}, 5*time.Second).WithPolling(500*time.Millisecond).Should(BeEmpty(), "an operator that comes back writes")
	})
})

// unasked is a database as little as the definition lets one write.
const unasked = `
apiVersion: kubedb.com/v1
kind: PerconaXtraDB
metadata: {name: %s}
spec: {version: 8.4.3, storage: {resources: {requests: {storage: 1Gi}}}%s}
`

// withoutWebhooks lets calls pass that the webhooks do not answer, until the spec is over.
func withoutWebhooks(ctx context.Context) {
	GinkgoHelper()
	setFailurePolicy(ctx, admissionregistrationv1.Ignore)
	DeferCleanup(func(ctx SpecContext) { setFailurePolicy(ctx, admissionregistrationv1.Fail) })
}

func setFailurePolicy(ctx context.Context, policy admissionregistrationv1.FailurePolicyType) {
	GinkgoHelper()
	mutating, validating := &admissionregistrationv1.MutatingWebhookConfiguration{}, &admissionregistrationv1.ValidatingWebhookConfiguration{}
	Expect(lab.Client.Get(ctx, client.ObjectKey{Name: "drydock-mutating"}, mutating)).To(Succeed())
	Expect(lab.Client.Get(ctx, client.ObjectKey{Name: "drydock-validating"}, validating)).To(Succeed())
	for config, n := range map[client.Object]int{mutating: len(mutating.Webhooks), validating: len(validating.Webhooks)} {
		patch := "["
		for i := range n {
			patch += fmt.Sprintf(`{"op":"replace","path":"/webhooks/%d/failurePolicy","value":%q},`, i, policy)
		}
		patch = patch[:len(patch)-1] + "]"
		Expect(lab.Client.Patch(ctx, config, client.RawPatch(types.JSONPatchType, []byte(patch)))).To(Succeed())
	}
}

var _ = Describe("The rights that the operator ships with", func() {
	It("are enough to be elected, and to be it again", func(ctx SpecContext) {
		config := rest.CopyConfig(lab.Config)
		config.Impersonate = rest.ImpersonationConfig{
			UserName: framework.OperatorUser, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:drydock-system", "system:authenticated"},
		}
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "drydock-system", Name: "drydock"}}
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(lab.Client.Delete(ctx, lease))).To(Succeed()) })
		for _, who := range []string{"first", "second"} {
			lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, lease.Namespace, lease.Name,
				resourcelock.ResourceLockConfig{Identity: who}, config, 10*time.Second)
			Expect(err).NotTo(HaveOccurred())
			ctx, stop := context.WithCancel(ctx)
			elected := make(chan struct{})
			elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
				Lock: lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 200 * time.Millisecond, ReleaseOnCancel: true,
				Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { close(elected) }, OnStoppedLeading: func() {}},
			})
			Expect(err).NotTo(HaveOccurred())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				elector.Run(ctx)
			}()
			Eventually(ctx, elected).Should(BeClosed(), who+" was not elected")
			stop()
			Eventually(ended).Should(BeClosed())
		}
	})
})
