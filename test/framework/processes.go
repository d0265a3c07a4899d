package framework

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

// envProcesses says how many processes share the specs of a suite.
const envProcesses = "DRYDOCK_TEST_PROCESSES"

// InProcesses runs the specs of the calling test binary in n processes, or as many as the environment says, and takes over
// their verdict. Specs wait most of the time, so n is more than there are cores; those that need the operator for themselves
// (Serial) run when all others are done. It reports false when there is nothing to share: the caller runs the specs itself.
func InProcesses(t *testing.T, n int, suite types.SuiteConfig) bool {
	t.Helper()
	if asked, err := strconv.Atoi(os.Getenv(envProcesses)); err == nil && asked > 0 {
		n = asked
	}
	if suite.ParallelTotal > 1 || n < 2 {
		return false
	}
	dir, err := Folder()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "github.com/onsi/ginkgo/v2/ginkgo", "run", "--no-color", "--timeout=20m", "--procs=" + strconv.Itoa(n)}
	for _, focus := range suite.FocusStrings {
		args = append(args, "--focus="+focus)
	}
	if suite.LabelFilter != "" {
		args = append(args, "--label-filter="+suite.LabelFilter)
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), envProcesses+"=1", EnvLab+"="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("the specs failed: %v", err)
	}
	return true
}
