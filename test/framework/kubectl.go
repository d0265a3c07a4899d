package framework

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Output is what one command printed, and how it ended.
type Output struct {
	Stdout, Stderr string
	// Code is the exit code.
	Code int
}

// Failed tells whether the command ended with an error.
func (o Output) Failed() bool { return o.Code != 0 }

// String is everything that was printed.
func (o Output) String() string { return strings.TrimSpace(o.Stdout + "\n" + o.Stderr) }

// Kubectl runs the lab's kubectl in a namespace.
type Kubectl struct {
	// Binary and Kubeconfig are the lab's.
	Binary, Kubeconfig string
	// Namespace is where commands apply; empty for the kubeconfig's own.
	Namespace string
}

// Kubectl returns the lab's kubectl.
func (l *Lab) Kubectl(namespace string) Kubectl {
	return Kubectl{
		Binary: filepath.Join(l.Dir, "bin", "kubectl"), Kubeconfig: filepath.Join(l.Dir, "kubeconfig"), Namespace: namespace,
	}
}

// Command is kubectl with these arguments, not yet started.
func (k Kubectl) Command(ctx context.Context, args ...string) *exec.Cmd {
	if k.Namespace != "" {
		args = append([]string{"--namespace", k.Namespace}, args...)
	}
	cmd := exec.CommandContext(ctx, k.Binary, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+k.Kubeconfig)
	return cmd
}

// Run runs kubectl to its end. An error means that it could not be run at all; that it failed is in the output.
func (k Kubectl) Run(ctx context.Context, stdin string, args ...string) (Output, error) {
	cmd := k.Command(ctx, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	out := Output{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return out, fmt.Errorf("running kubectl %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}
