//go:build lab

package tls

import (
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/drydock-db/drydock/test/framework"
)

// lab is the lab under test.
var lab *framework.Lab

// TestTLS runs the specs. Each waits for cert-manager and for pods, most of its time.
func TestTLS(t *testing.T) {
	suite, reporter := GinkgoConfiguration()
	if framework.InProcesses(t, 8, suite) {
		return
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Drydock TLS", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultEventuallyTimeout(2 * time.Minute)
	EnforceDefaultTimeoutsWhenUsingContexts()
	logf.SetLogger(logr.Discard())
	var err error
	lab, err = framework.Connect(ctx)
	Expect(err).NotTo(HaveOccurred())
})
