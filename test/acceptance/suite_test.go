//go:build lab

package acceptance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/drydock-db/drydock/test/framework"
)

// lab is the lab under test.
var lab *framework.Lab

// TestAcceptance runs the specs.
func TestAcceptance(t *testing.T) {
	suite, reporter := GinkgoConfiguration()
	if framework.InProcesses(t, 8, suite) {
		return
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Drydock acceptance", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyPollingInterval(25 * time.Millisecond)
	SetDefaultConsistentlyPollingInterval(100 * time.Millisecond)
	SetDefaultEventuallyTimeout(patience)
	EnforceDefaultTimeoutsWhenUsingContexts()
	logf.SetLogger(logr.Discard())
	var err error
	lab, err = framework.Connect(ctx)
	Expect(err).NotTo(HaveOccurred())
})

// passwords are generated ones that this process has seen; neither the operator's log nor its metrics must show them. (That
// events, conditions and answers do not is looked at in each arena.)
var passwords = map[string]string{}

var _ = AfterSuite(func(ctx SpecContext) {
	if lab == nil {
		return
	}
	log, err := lab.Log()
	Expect(err).NotTo(HaveOccurred())
	var metrics string
	Eventually(ctx, func(ctx context.Context) (err error) { // another process may have taken the operator away
		metrics, err = lab.Metrics(ctx)
		return err
	}).Should(Succeed())
	Expect(metrics).To(ContainSubstring("drydock_webhook_cert_expiry_timestamp_seconds"), "these are not the operator's metrics")
	for password, where := range passwords {
		Expect(strings.Contains(log, password)).To(BeFalse(), "the operator's log shows the password of "+where)
		Expect(strings.Contains(metrics, password)).To(BeFalse(), "the operator's metrics show the password of "+where)
	}
	Expect(log).NotTo(ContainSubstring("panic"), "the operator has panicked")
})

// kubectl runs kubectl in the arena's namespace and returns what it printed.
func (a *arena) kubectl(ctx context.Context, stdin string, args ...string) framework.Output {
	GinkgoHelper()
	out, err := a.Kubectl().Run(ctx, stdin, args...)
	Expect(err).NotTo(HaveOccurred())
	a.answers = append(a.answers, out.Stderr)
	return out
}

// mustKubectl is kubectl for commands that have to succeed.
func (a *arena) mustKubectl(ctx context.Context, stdin string, args ...string) string {
	GinkgoHelper()
	out := a.kubectl(ctx, stdin, args...)
	Expect(out.Failed()).To(BeFalse(), fmt.Sprintf("kubectl %s: %s", strings.Join(args, " "), out))
	return out.String()
}

// listed are the words of the line in which kubectl get -o wide shows an object.
func (a *arena) listed(ctx context.Context, o client.Object) []string {
	GinkgoHelper()
	kind, err := a.Client.GroupVersionKindFor(o)
	Expect(err).NotTo(HaveOccurred())
	return strings.Fields(a.mustKubectl(ctx, "", "get", strings.ToLower(kind.Kind), o.GetName(), "-o", "wide", "--no-headers"))
}
