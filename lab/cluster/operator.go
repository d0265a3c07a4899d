package cluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// The operator's identity in the cluster, as its manifests have it.
const operatorNamespace, operatorAccount = "drydock-system", "drydock"

// tokenSeconds is how long the operator's token is good: longer than any lab lives.
const tokenSeconds = 30 * 24 * 3600

// OperatorOptions say how the operator is built and started.
type OperatorOptions struct {
	// Args are added to the operator's command line.
	Args []string `json:"args,omitempty"`
	// Race builds it with the race detector; that needs a C compiler.
	Race bool `json:"race,omitempty"`
	// NoBuild starts the binary that is there.
	NoBuild bool `json:"-"`
}

// OperatorOptions returns what the last `up` was told.
func (l *Lab) OperatorOptions() OperatorOptions { return l.state.Operator }

// StartOperator builds the operator and starts it with the rights of its own ServiceAccount, no more:
// so that missing RBAC rules show. A running operator with the same binary and arguments is left alone.
func (l *Lab) StartOperator(ctx context.Context, o OperatorOptions) error {
	if len(l.state.Processes) == 0 {
		return errors.New("the lab is down; start it with `lab up`")
	}
	rebuilt := false
	if !o.NoBuild {
		var err error
		if rebuilt, err = l.buildOperator(ctx, o.Race); err != nil {
			return err
		}
	}
	if err := l.writeOperatorKubeconfig(ctx); err != nil {
		return err
	}
	if rebuilt {
		if err := l.StopOperator(); err != nil {
			return err
		}
	}
	c := component{
		name: operator, health: "http://" + l.address(portHealth) + "/readyz",
		hint: "`lab operator restart` tries again",
		args: append([]string{
			"--kubeconfig", l.path("operator.kubeconfig"), "--namespace", operatorNamespace,
			"--webhook-host", "127.0.0.1", "--webhook-port", l.port(portWebhook),
			"--metrics-bind-address", l.address(portMetrics), "--health-probe-bind-address", l.address(portHealth),
			"--leader-elect=false",
		}, o.Args...),
	}
	l.binaries = map[string]string{operator: l.path("bin", "drydock")}
	if err := l.ensure(c); err != nil {
		return err
	}
	return l.ready(ctx, c)
}

// StopOperator ends the operator in good order.
func (l *Lab) StopOperator() error {
	if _, known := l.state.process(operator); !known {
		return nil
	}
	if err := l.endOperator(syscall.SIGTERM); err != nil {
		return err
	}
	l.state.forget(operator)
	return l.save()
}

// KillOperator ends the operator as a crash would.
func (l *Lab) KillOperator() error { return l.endOperator(syscall.SIGKILL) }

func (l *Lab) endOperator(sig syscall.Signal) error {
	p, known := l.state.process(operator)
	if !known || !p.alive() {
		return nil
	}
	start := time.Now()
	if err := p.signal(sig); err != nil {
		return err
	}
	if err := stopProcesses(30*time.Second, p); err != nil {
		return err
	}
	l.say("%s: ended by %s after %s", operator, sig, since(start))
	return nil
}

// buildOperator says whether the binary is another one than before.
func (l *Lab) buildOperator(ctx context.Context, race bool) (changed bool, err error) {
	binary := l.path("bin", "drydock")
	before, _ := fileSum(binary) // none yet: differs from any
	args := []string{"build", "-buildvcs=false", "-o", binary}
	cgo := "CGO_ENABLED=0"
	if race {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	l.say("%s: building ...", operator)
	start := time.Now()
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/drydock")...)
	cmd.Dir = l.state.Root
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return false, fmt.Errorf("build the operator in %s: %w\n%s", l.state.Root, err, out)
	}
	after, err := fileSum(binary)
	if err != nil {
		return false, fmt.Errorf("read the operator just built: %w", err)
	}
	l.say("%s: built in %s", operator, since(start))
	return before != after, nil
}

// fileSum tells two binaries apart; their times do not, Go touches a binary that is up to date.
func fileSum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return string(sum.Sum(nil)), nil
}

// writeOperatorKubeconfig mints a token for the operator's ServiceAccount.
func (l *Lab) writeOperatorKubeconfig(ctx context.Context) error {
	if _, err := os.Stat(l.path("operator.kubeconfig")); err == nil {
		return nil
	}
	config, err := l.restConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("build the client: %w", err)
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](tokenSeconds)}}
	token, err := client.CoreV1().ServiceAccounts(operatorNamespace).CreateToken(ctx, operatorAccount, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("mint a token for ServiceAccount %s/%s (are the manifests installed?): %w", operatorNamespace, operatorAccount, err)
	}
	user := "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount
	return l.writeKubeconfig(l.path("operator.kubeconfig"), user, token.Status.Token, slices.Clone(config.CAData))
}
