//go:build lab

package acceptance

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

var _ = Describe("Tools", func() {
	It("can wait for a request with kubectl wait", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		a.create(ctx, percona.restart(a, "restart"))
		out := a.mustKubectl(ctx, "", "wait", "pxcops/restart", "--for=condition=Successful", "--timeout=60s")
		Expect(out).To(ContainSubstring("condition met"))
	})

	It("can read a request's state by the rules of kstatus", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, percona.database(a.Name))
		good := percona.restart(a, "good")
		a.stopsAtFirstPod(ctx, percona, good)
		Eventually(ctx, a.says(good, opsv1.ConditionReconciling)).Should(HaveField("Status", metav1.ConditionTrue))
		Expect(a.says(good, opsv1.ConditionReady)()).To(HaveField("Status", metav1.ConditionFalse))
		a.faults(ctx)
		done := a.ends(ctx, good, opsv1.PhaseSuccessful)
		Expect(trio(done.RequestStatus().Conditions)).To(Equal("Ready=True Reconciling=False Stalled=False"))
		Expect(done.RequestStatus().ObservedGeneration).To(Equal(done.GetGeneration()))
		bad := a.fails(ctx, percona.reconfigure(a, "bad", changes{"perconaxtradb": inline("a.cnf", refused)}, retries(0)), "PodNotStarting")
		Expect(trio(bad.RequestStatus().Conditions)).To(Equal("Ready=False Reconciling=False Stalled=True"))
	})

	It("can read a database's state by the rules of kstatus", func(ctx SpecContext) {
		a := newArena(ctx)
		db := percona.database(a.Name)
		a.provision(ctx, db)
		a.mustKubectl(ctx, "", "wait", "px/px", "--for=condition=Reconciling=False", "--timeout=60s")
		Expect(trio(see(a, db).DatabaseStatus().Conditions)).To(Equal("Ready=True Reconciling=False Stalled=False"))
		r := percona.restart(a, "restart")
		a.stopsAtFirstPod(ctx, percona, r)
		Eventually(ctx, a.says(db, kubedbv1.ConditionReconciling)).Should(And(
			HaveField("Status", metav1.ConditionTrue), HaveField("Message", ContainSubstring("restart"))))
		a.faults(ctx)
		a.ends(ctx, r, opsv1.PhaseSuccessful)
		a.mustKubectl(ctx, "", "wait", "px/px", "--for=condition=Reconciling=False", "--timeout=60s")
		Expect(trio(see(a, db).DatabaseStatus().Conditions)).To(Equal("Ready=True Reconciling=False Stalled=False"))
		Expect(see(a, db).DatabaseStatus().ObservedGeneration).To(Equal(see(a, db).GetGeneration()))
	})

	It("print what a person wants to know", func(ctx SpecContext) {
		a := newArena(ctx)
		a.provision(ctx, cluster.database(a.Name))
		a.succeeds(ctx, cluster.restart(a, "restart"))
		Expect(header(a.mustKubectl(ctx, "", "get", "sdb"))).To(Equal("NAME VERSION STATUS LASTOPERATION AGE"))
		Expect(header(a.mustKubectl(ctx, "", "get", "sdb", "-o", "wide"))).To(Equal("NAME VERSION STATUS LASTOPERATION REASON AGE"))
		Expect(a.mustKubectl(ctx, "", "get", "sdb", "-o", "wide", "--no-headers")).To(MatchRegexp(`\sSuccessful\s+OpsRequestSuccessful\s`))
		Expect(header(a.mustKubectl(ctx, "", "get", "sdbops"))).To(Equal("NAME TYPE STATUS DATABASE PROGRESS AGE"))
		Expect(a.mustKubectl(ctx, "", "get", "sdbops", "restart", "--no-headers")).To(MatchRegexp(`^restart\s+Restart\s+Successful\s+sdb\s+5/5\s`))
		Expect(a.mustKubectl(ctx, "", "get", "kubedb", "-o", "name")).To(And(
			ContainSubstring("singlestore.kubedb.com/sdb"), ContainSubstring("singlestoreopsrequest.ops.kubedb.com/restart")))
		Expect(a.mustKubectl(ctx, "", "get", "sdbops", "--field-selector=spec.databaseRef.name=sdb", "-o", "name")).To(ContainSubstring("restart"))
		Expect(a.mustKubectl(ctx, "", "explain", "sdb.spec.topology.aggregator")).To(ContainSubstring("replicas"))
	})

	It("can apply manifests server-side, twice, and dry", func(ctx SpecContext) {
		a := newArena(ctx)
		out := a.mustKubectl(ctx, older, "apply", "--server-side", "--dry-run=server", "-f", "-")
		Expect(out).To(ContainSubstring("server dry run"))
		Expect(a.kubectl(ctx, "", "get", "px", "px").Failed()).To(BeTrue(), "a dry run made an object")
		a.create(ctx, a.secret("px-configuration", map[string]string{"my.cnf": "[mysqld]\nmax_connections = 200\n"}))
		for range 2 {
			a.mustKubectl(ctx, older, "apply", "--server-side", "-f", "-")
		}
		a.becomes(ctx, percona.database(a.Name), "Ready")
		request := strings.ReplaceAll(restartRequest, "RESTART", "once")
		a.mustKubectl(ctx, request, "apply", "--server-side", "--dry-run=server", "-f", "-")
		Expect(a.kubectl(ctx, "", "get", "pxcops", "once").Failed()).To(BeTrue(), "a dry run made a request")
		for range 2 {
			a.mustKubectl(ctx, request, "apply", "--server-side", "-f", "-")
		}
		a.ends(ctx, percona.restart(a, "once"), opsv1.PhaseSuccessful)
		a.mustKubectl(ctx, request, "apply", "--server-side", "-f", "-")
	})
})

const restartRequest = `
apiVersion: ops.kubedb.com/v1alpha1
kind: PerconaXtraDBOpsRequest
metadata:
  name: RESTART
spec:
  type: Restart
  databaseRef:
    name: px
  timeout: 10m
  apply: Always
`

// trio is the state that tools read.
func trio(conditions []metav1.Condition) string {
	var words []string
	for _, kind := range []string{opsv1.ConditionReady, opsv1.ConditionReconciling, opsv1.ConditionStalled} {
		for _, c := range conditions {
			if c.Type == kind {
				words = append(words, kind+"="+string(c.Status))
			}
		}
	}
	return strings.Join(words, " ")
}

// header is the first line of a table.
func header(table string) string {
	line, _, _ := strings.Cut(table, "\n")
	return strings.Join(strings.Fields(line), " ")
}
