//go:build lab

package petset

import (
	"context"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/test/framework"
	"github.com/drydock-db/drydock/test/petset/standin"
)

// lab is the lab under test.
var lab *framework.Lab

// envLab names the variable with the folder of this suite's own lab. It is not the one of the other suites: these may run
// at the same time, and would meet an operator that makes PetSets.
const envLab = "DRYDOCK_PETSET_LAB"

// TestPetSets runs the specs, one after another: they share one operator and one stand-in.
func TestPetSets(t *testing.T) {
	dir := os.Getenv(envLab)
	if dir == "" {
		t.Fatal(envLab + " is not set: `make test-petsets` starts a lab of its own for this suite")
	}
	t.Setenv(framework.EnvLab, dir)
	RegisterFailHandler(Fail)
	suite, reporter := GinkgoConfiguration()
	suite.FlakeAttempts = framework.Attempts
	RunSpecs(t, "Drydock with PetSets", suite, reporter)
}

var _ = ReportAfterSuite("what failed", func(report Report) {
	Expect(framework.Tell(os.Stdout, report)).To(Succeed())
})

// operator of the lab. It makes StatefulSets until this suite starts it with asked.
var operator *framework.Operator

// asked is what tells the operator to make PetSets.
const asked = "--workload=petset"

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyPollingInterval(25 * time.Millisecond)
	SetDefaultEventuallyTimeout(patience)
	EnforceDefaultTimeoutsWhenUsingContexts()
	log.SetLogger(GinkgoLogr)
	first, err := framework.Connect(ctx)
	Expect(err).NotTo(HaveOccurred())
	operator, err = first.Operator(ctx)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return operator.Close() })
	Expect(operator.Stop(ctx)).To(Succeed())
	Expect(operator.Start(ctx, asked)).To(MatchError(ContainSubstring(
		"the cluster does not serve apps.k8s.appscode.com/v1 PetSet, which --workload=petset makes: install PetSets first")))

	definition, err := os.ReadFile("testdata/petsets.yaml")
	Expect(err).NotTo(HaveOccurred())
	kubectl(ctx, first, string(definition), "apply", "--filename=-")
	DeferCleanup(func(ctx SpecContext) { kubectl(ctx, first, string(definition), "delete", "--filename=-") })
	kubectl(ctx, first, string(definition), "wait", "--for=condition=Established", "--timeout=30s", "--filename=-")
	lab, err = framework.Connect(ctx) // once more, now that PetSets are served
	Expect(err).NotTo(HaveOccurred())
	Expect(lab.PetSets).To(BeTrue())
	Expect(standin.Known(ctx, lab.Client, metav1.NamespaceDefault, patience)).To(Succeed())
	running, stop := context.WithCancel(context.Background())
	DeferCleanup(stop)
	Expect(standin.Start(running, lab.Config, framework.Scheme())).To(Succeed())
	Expect(operator.Start(ctx, asked)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) error { return operator.Stop(ctx) })
})

// kubectl runs a command that has to succeed.
func kubectl(ctx context.Context, l *framework.Lab, stdin string, args ...string) {
	GinkgoHelper()
	out, err := l.Kubectl("").Run(ctx, stdin, args...)
	Expect(err).NotTo(HaveOccurred())
	Expect(out.Failed()).To(BeFalse(), out.String())
}

var _ = AfterSuite(func(ctx SpecContext) {
	if lab == nil {
		return
	}
	Eventually(ctx, func(g Gomega) {
		for _, list := range []client.ObjectList{&kubedbv1alpha2.SinglestoreList{}, &kubedbv1.PerconaXtraDBList{}} {
			g.Expect(lab.Client.List(ctx, list)).To(Succeed())
			g.Expect(meta.LenList(list)).To(BeZero(), "%T: databases are held", list)
		}
	}).Should(Succeed())
	text, err := lab.Log()
	Expect(err).NotTo(HaveOccurred())
	Expect(text).NotTo(ContainSubstring("panic"), "the operator has panicked")
})
