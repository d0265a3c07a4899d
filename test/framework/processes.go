package framework

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
	const report = "report.json"
	reports := t.TempDir()
	args := []string{
		"run", "github.com/onsi/ginkgo/v2/ginkgo", "run", "--no-color", "--timeout=25m", "--procs=" + strconv.Itoa(n),
		"--flake-attempts=" + strconv.Itoa(Attempts), "--output-dir=" + reports, "--json-report=" + report,
	}
	for _, focus := range suite.FocusStrings {
		args = append(args, "--focus="+focus)
	}
	if suite.LabelFilter != "" {
		args = append(args, "--label-filter="+suite.LabelFilter)
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), envProcesses+"=1", EnvLab+"="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	failed := cmd.Run()
	if err := tellAll(os.Stdout, filepath.Join(reports, report)); err != nil {
		t.Error(err)
	}
	if failed != nil {
		t.Errorf("the specs failed: %v", failed)
	}
	return true
}

// Attempts is how often a spec may be tried: a machine that stands still for seconds makes a spec miss what it waits for. What
// took more than one is told at the end, like a failure: it is one to look into.
const Attempts = 2

// tellAll is Tell for the reports in a file of Ginkgo's.
func tellAll(w io.Writer, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the specs left no report: %w", err)
	}
	var suites []types.Report
	if err := json.Unmarshal(text, &suites); err != nil {
		return fmt.Errorf("reading the specs' report: %w", err)
	}
	for _, suite := range suites {
		if err := Tell(w, suite); err != nil {
			return err
		}
	}
	return nil
}

// Tell writes what failed, and what passed only when tried again, a line for each attempt that failed. Lines begin as those of
// go test do, so that whoever looks for its verdicts finds these.
func Tell(w io.Writer, suite types.Report) error {
	for _, spec := range suite.SpecReports {
		if err := tellSpec(w, spec); err != nil {
			return err
		}
	}
	return nil
}

// tellSpec writes how one spec failed, each attempt of it, and nothing of one that passed at once.
func tellSpec(w io.Writer, spec types.SpecReport) error {
	var failures []types.Failure
	for _, f := range spec.AdditionalFailures {
		failures = append(failures, f.Failure)
	}
	verdict := "ok    spec, tried again"
	if spec.Failed() {
		verdict = "FAIL: spec"
		failures = append(failures, spec.Failure)
	}
	for _, f := range failures {
		if _, err := fmt.Fprintf(w, "%s: %s: %s: %s\n", verdict, spec.FullText(), f.Location, inLine(f.Message)); err != nil {
			return err
		}
	}
	return nil
}

// inLine is a message in one line, of which the beginning will do.
func inLine(message string) string {
	const most = 1500
	line := strings.Join(strings.Fields(message), " ")
	if len(line) > most {
		line = line[:most] + " ..."
	}
	return line
}
