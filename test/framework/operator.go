package framework

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"k8s.io/client-go/rest"
)

// Operator starts and ends the lab's operator. While it is away every other spec suffers, so specs that use it run
// alone (Serial).
type Operator struct {
	lab    *Lab
	binary string
}

// Operator builds the lab's command, once, so that a kill takes effect at once. Close removes it.
func (l *Lab) Operator(ctx context.Context) (*Operator, error) {
	dir, err := os.MkdirTemp("", "drydock-lab-command-")
	if err != nil {
		return nil, fmt.Errorf("making room for the lab command: %w", err)
	}
	o := &Operator{lab: l, binary: filepath.Join(dir, "lab")}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", o.binary, "./cmd/lab")
	cmd.Dir = filepath.Join(l.Root, "lab")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the lab command: %w\n%s", err, out)
	}
	return o, nil
}

// Close removes the command.
func (o *Operator) Close() error { return os.RemoveAll(filepath.Dir(o.binary)) }

// Kill ends the operator as a crash would (SIGKILL) and returns when it is gone.
func (o *Operator) Kill(ctx context.Context) error { return o.run(ctx, "kill") }

// Stop ends the operator in good order.
func (o *Operator) Stop(ctx context.Context) error { return o.run(ctx, "stop") }

// Start starts the operator, with more arguments if there are any, and returns when its webhooks answer. One that runs
// is left alone.
func (o *Operator) Start(ctx context.Context, args ...string) error {
	return o.run(ctx, append([]string{"start", "--build=false", "--"}, args...)...)
}

func (o *Operator) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, o.binary, append([]string{"--dir", o.lab.Dir, "operator"}, args...)...)
	cmd.Dir = filepath.Join(o.lab.Root, "lab")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lab operator %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// Log is what the operator has logged since the lab was created.
func (l *Lab) Log() (string, error) {
	raw, err := os.ReadFile(filepath.Join(l.Dir, "logs", "drydock.log"))
	if err != nil {
		return "", fmt.Errorf("reading the operator's log: %w", err)
	}
	return string(raw), nil
}

// Metrics are the operator's, as an administrator reads them. The operator that runs has counted them since it started.
func (l *Lab) Metrics(ctx context.Context) (string, error) {
	// Its certificate is one that it made for itself.
	itsOwn := rest.TLSClientConfig{Insecure: true}
	c, err := rest.HTTPClientFor(&rest.Config{BearerToken: l.Config.BearerToken, TLSClientConfig: itsOwn})
	if err != nil {
		return "", fmt.Errorf("building a client for the operator's metrics: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("https://127.0.0.1:%d/metrics", l.metrics), http.NoBody)
	if err != nil {
		return "", fmt.Errorf("asking for the operator's metrics: %w", err)
	}
	answer, err := c.Do(r)
	if err != nil {
		return "", fmt.Errorf("asking for the operator's metrics: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", fmt.Errorf("reading the operator's metrics: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("asking for the operator's metrics: %s: %s", answer.Status, text)
	}
	return string(text), nil
}
