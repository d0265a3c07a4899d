package framework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// EnvLab names the variable with the folder of a running lab.
const EnvLab = "DRYDOCK_LAB"

// OperatorUser is who the operator is to the API server.
const OperatorUser = "system:serviceaccount:drydock-system:drydock"

// ErrNoLab says that no lab was named.
var ErrNoLab = errors.New(EnvLab + " is not set: run `make test`, or run `make up` and set " + EnvLab + " to the lab's folder (.lab)")

// Lab is a running lab.
type Lab struct {
	// Dir is the absolute path of the lab's folder, Root that of the repository.
	Dir, Root string
	// Config is the administrator's.
	Config *rest.Config
	// Client reads from the API server, not from a cache.
	Client client.WithWatch
	// PetSets tells that the lab served them when it was connected to; they are recorded then.
	PetSets bool
	// metrics is the port of the operator's.
	metrics int
}

// Connect finds the lab that the environment names and asks it for a sign of life.
func Connect(ctx context.Context) (*Lab, error) {
	dir, err := Folder()
	if err != nil {
		return nil, err
	}
	known, err := stateOf(dir)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "kubeconfig"))
	if err != nil {
		return nil, fmt.Errorf("%s=%s is not the folder of a running lab (`make up` starts one): %w", EnvLab, dir, err)
	}
	config.QPS, config.Burst, config.UserAgent = 300, 600, "drydock-tests"
	config.WarningHandler = rest.NoWarnings{} // warnings are read where they are the point, by kubectl
	c, err := client.NewWithWatch(config, client.Options{Scheme: Scheme()})
	if err != nil {
		return nil, fmt.Errorf("building a client for the lab in %s: %w", dir, err)
	}
	lab := &Lab{Dir: dir, Root: known.Root, Config: config, Client: c, metrics: known.Ports["drydock-metrics"]}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := c.Get(ctx, client.ObjectKey{Name: "drydock-system"}, &corev1.Namespace{}); err != nil {
		return nil, fmt.Errorf("the lab in %s does not answer (`make up` starts and repairs it): %w", dir, err)
	}
	_, err = c.RESTMapper().RESTMapping(petsetv1.GroupVersion.WithKind("PetSet").GroupKind(), petsetv1.GroupVersion.Version)
	lab.PetSets = err == nil
	return lab, lab.warm(ctx)
}

// warm makes the API server fill its caches of what is recorded. It fills one when it is first asked for, and cannot
// tell a watch what was before: a recording that begins earlier in a lab that has just come up would break off.
func (l *Lab) warm(ctx context.Context) error {
	for _, list := range l.recorded() {
		if err := l.Client.List(ctx, list(), &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: "0"}}); err != nil {
			return fmt.Errorf("listing %T: %w", list(), err)
		}
	}
	return nil
}

// Folder is the absolute path of the folder that the environment names. A relative one starts at the repository's root,
// because tests run in folders of their own.
func Folder() (string, error) {
	dir := os.Getenv(EnvLab)
	switch {
	case dir == "":
		return "", ErrNoLab
	case filepath.IsAbs(dir):
		return dir, nil
	}
	root, err := repository()
	return filepath.Join(root, dir), err
}

// state is what a lab remembers: the repository that it was started from, and the ports of its listeners.
type state struct {
	Root  string         `json:"root"`
	Ports map[string]int `json:"ports"`
}

func stateOf(dir string) (state, error) {
	var known state
	raw, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return known, fmt.Errorf("%s=%s is not the folder of a lab (`make up` starts one): %w", EnvLab, dir, err)
	}
	if err := json.Unmarshal(raw, &known); err != nil {
		return known, fmt.Errorf("reading the lab's state in %s: %w", dir, err)
	}
	return known, nil
}

// Scheme knows every type that the suites use.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, cmv1.AddToScheme, catalogv1.AddToScheme,
		kubedbv1.AddToScheme, kubedbv1alpha2.AddToScheme, opsv1.AddToScheme, petsetv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err) // two types of one name: a mistake in the code
		}
	}
	return scheme
}

// As returns the lab as another user sees it. The administrator impersonates that user.
func (l *Lab) As(user string, groups ...string) (client.Client, error) {
	config := rest.CopyConfig(l.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	c, err := client.New(config, client.Options{Scheme: l.Client.Scheme()})
	if err != nil {
		return nil, fmt.Errorf("building a client for %s: %w", user, err)
	}
	return c, nil
}

// repository is the folder above this process's that holds the main module.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for {
		_, noMain := os.Stat(filepath.Join(dir, "go.mod"))
		_, noLab := os.Stat(filepath.Join(dir, "lab", "go.mod"))
		if noMain == nil && noLab == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run this from inside the repository: no folder above has go.mod and lab/go.mod")
		}
		dir = parent
	}
}
