//go:build lab

package acceptance

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/drydock-db/drydock/test/framework"
)

// envProcesses is the number of processes that share the specs. Specs wait most of the time, so it is more than there
// are cores.
const (
	envProcesses     = "DRYDOCK_TEST_PROCESSES"
	defaultProcesses = 8
)

// lab is the lab under test.
var lab *framework.Lab

// TestAcceptance runs the specs. Started by `go test` it hands its own binary to Ginkgo's command, which shares the specs
// among several processes; specs that need the operator for themselves (Serial) run when all others are done.
func TestAcceptance(t *testing.T) {
	suite, reporter := GinkgoConfiguration()
	if n := processes(); suite.ParallelTotal == 1 && n > 1 {
		inProcesses(t, n, suite)
		return
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Drydock acceptance", suite, reporter)
}

func processes() int {
	if n, err := strconv.Atoi(os.Getenv(envProcesses)); err == nil && n > 0 {
		return n
	}
	return defaultProcesses
}

// inProcesses runs this binary's specs under Ginkgo's command and takes over its verdict.
func inProcesses(t *testing.T, n int, suite types.SuiteConfig) {
	t.Helper()
	dir, err := framework.Folder()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "github.com/onsi/ginkgo/v2/ginkgo", "run", "--no-color", "--timeout=20m",
		"--procs=" + strconv.Itoa(n)}
	for _, focus := range suite.FocusStrings {
		args = append(args, "--focus="+focus)
	}
	if suite.LabelFilter != "" {
		args = append(args, "--label-filter="+suite.LabelFilter)
	}
	if testing.Verbose() {
		args = append(args, "-v")
	}
	cmd := exec.Command("go", append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), envProcesses+"=1", framework.EnvLab+"="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("the specs failed: %v", err)
	}
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

// passwords are generated ones that this process has seen; the operator's log must not show them.
var passwords = map[string]string{}

var _ = AfterSuite(func() {
	if lab == nil {
		return
	}
	log, err := lab.Log()
	Expect(err).NotTo(HaveOccurred())
	for password, where := range passwords {
		Expect(strings.Contains(log, password)).To(BeFalse(), "the operator's log shows the password of "+where)
	}
	Expect(log).NotTo(ContainSubstring("panic"), "the operator has panicked")
})

// kubectl runs kubectl in the arena's namespace and returns what it printed.
func (a *arena) kubectl(ctx context.Context, stdin string, args ...string) framework.Output {
	GinkgoHelper()
	out, err := a.Kubectl().Run(ctx, stdin, args...)
	Expect(err).NotTo(HaveOccurred())
	return out
}

// mustKubectl is kubectl for commands that have to succeed.
func (a *arena) mustKubectl(ctx context.Context, stdin string, args ...string) string {
	GinkgoHelper()
	out := a.kubectl(ctx, stdin, args...)
	Expect(out.Failed()).To(BeFalse(), fmt.Sprintf("kubectl %s: %s", strings.Join(args, " "), out))
	return out.String()
}
