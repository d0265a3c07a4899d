//go:build lab

package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/drydock-db/drydock/test/framework"
)

// envLab names the folder of a lab for this suite, which is started if it does not run and stays up afterwards. Without
// it the suite makes a lab of its own and removes it. The lab of other suites will not do: it has webhooks and an operator.
const envLab = "DRYDOCK_FAULTS_LAB"

// patience is how long anything may take that has to happen. A busy machine is slow, and a budget that has missed how an
// evicted pod went counts its successor as disrupted for two minutes.
const patience = 150 * time.Second

// harbour is the lab, as this suite uses it.
type harbour struct {
	lab *framework.Lab
	// who the suite is to the API server.
	who authenticationv1.UserInfo
	// operator is the configuration of operators: the rights of the operator's ServiceAccount, and no more.
	operator *rest.Config
	// undertaker may delete a paused database, as the controller may that empties namespaces.
	undertaker client.Client
	rest       meta.RESTMapper
}

// open brings the lab up.
func open(t *testing.T) *harbour {
	t.Helper()
	ctx := t.Context()
	dir := os.Getenv(envLab)
	if dir == "" {
		dir = filepath.Join(t.TempDir(), "lab")
		t.Cleanup(func() { _ = labCommand(context.Background(), "down", "--dir", dir) })
	}
	if err := labCommand(ctx, "up", "--dir", dir, "--root", root(t), "--operator=false",
		"--manifests", "test/faults/manifests"); err != nil {
		t.Fatal(err)
	}
	t.Setenv(framework.EnvLab, dir)
	lab, err := framework.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h := &harbour{lab: lab, operator: rest.CopyConfig(lab.Config)}
	h.operator.QPS, h.operator.UserAgent = -1, "drydock"
	h.operator.Impersonate = rest.ImpersonationConfig{
		UserName: framework.OperatorUser,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:drydock-system", "system:authenticated"},
	}
	if err := h.introduce(ctx); err != nil {
		t.Fatal(err)
	}
	return h
}

// introduce finds out what every case needs to know.
func (h *harbour) introduce(ctx context.Context) error {
	self := &authenticationv1.SelfSubjectReview{}
	if err := h.lab.Client.Create(ctx, self); err != nil {
		return fmt.Errorf("asking for the suite's own name: %w", err)
	}
	h.who = self.Status.UserInfo
	httpClient, err := rest.HTTPClientFor(h.lab.Config)
	if err != nil {
		return err
	}
	if h.rest, err = apiutil.NewDynamicRESTMapper(h.lab.Config, httpClient); err != nil {
		return err
	}
	h.undertaker, err = h.lab.As("system:serviceaccount:kube-system:namespace-controller",
		"system:serviceaccounts", "system:serviceaccounts:kube-system")
	return err
}

// mapper lets all operators share what is known of the API: discovery costs more than a case.
func (h *harbour) mapper(*rest.Config, *http.Client) (meta.RESTMapper, error) { return h.rest, nil }

// labCommand runs the lab's command.
func labCommand(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"run", "./cmd/lab"}, args...)...)
	dir, err := filepath.Abs(filepath.Join("..", "..", "lab"))
	if err != nil {
		return err
	}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOGC=200") // memory for time: the API server would collect garbage a quarter of its time
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lab %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// root is the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "lab", "go.mod"))
	}
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is not the repository", dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
