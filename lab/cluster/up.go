package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/drydock-db/drydock/lab/build"
)

// UpOptions say what kind of lab is wanted.
type UpOptions struct {
	// Root is the repository with manifests and the operator.
	Root string
	// Source is the folder of the lab module.
	Source string
	// Nodes is the number of fake nodes.
	Nodes int
	// Audit turns the API server's audit log on or off; nil keeps what the lab has, which is on in a new one.
	Audit *bool
	// Without are controllers of kube-controller-manager that are left out.
	Without []string
	// Install applies the manifests of Manifests and Catalog, kustomize folders relative to Root.
	Install            bool
	Manifests, Catalog string
	// RunOperator builds and starts the operator.
	RunOperator bool
	Operator    OperatorOptions
}

// Up brings the lab to the wanted state from whatever state it is in: it starts what is missing,
// restarts what died or has other settings, and leaves the rest alone.
func (l *Lab) Up(ctx context.Context, o UpOptions) error {
	start := time.Now()
	builder, err := build.New(ctx, o.Source, l.Out)
	if err != nil {
		return err
	}
	if l.binaries, err = builder.Ensure(ctx, build.All()); err != nil {
		return err
	}
	if err := l.prepare(o); err != nil {
		return err
	}
	if err := l.startControlPlane(ctx); err != nil {
		return err
	}
	if err := l.installBase(ctx, builder); err != nil {
		return err
	}
	if err := l.startAround(ctx); err != nil {
		return err
	}
	if o.Install {
		if err := l.install(ctx, o); err != nil {
			return err
		}
	}
	if o.RunOperator {
		if err := l.StartOperator(ctx, o.Operator); err != nil {
			return err
		}
	}
	l.say("lab is up after %s; export KUBECONFIG=%s", since(start), l.path("kubeconfig"))
	return nil
}

// longestSocket is the longest path of a unix socket that every system takes.
const longestSocket = 103

// prepare writes what the processes read: state, keys, kubeconfigs, and the link to kubectl.
func (l *Lab) prepare(o UpOptions) error {
	if path := l.data(csiSocket); len(path) > longestSocket {
		return fmt.Errorf("the path of a socket, %s, is longer than the %d bytes that systems allow: give the lab a folder with a shorter name", path, longestSocket)
	}
	if l.state.Ports == nil { // a new lab; the last one's logs are of no more use
		if err := os.RemoveAll(l.path("logs")); err != nil {
			return fmt.Errorf("remove old logs: %w", err)
		}
		ports, err := choosePorts()
		if err != nil {
			return err
		}
		l.state.Ports = ports
	}
	l.state.Root, l.state.Operator, l.state.Nodes, l.state.Without = o.Root, o.Operator, o.Nodes, o.Without
	if o.Audit != nil {
		l.state.NoAudit = !*o.Audit
	}
	if err := l.save(); err != nil {
		return err
	}
	for _, dir := range []string{l.path("bin"), l.path("logs"), l.data()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	if err := l.writeIdentities(); err != nil {
		return err
	}
	if err := os.WriteFile(l.data("audit-policy.yaml"), []byte(auditPolicy), 0o644); err != nil {
		return fmt.Errorf("write the audit policy: %w", err)
	}
	return link(l.binaries["kubectl"], l.path("bin", "kubectl"))
}

// link points a name in bin/ at a binary in the cache.
func link(target, name string) error {
	if now, err := os.Readlink(name); err == nil && now == target {
		return nil
	}
	if err := os.RemoveAll(name); err != nil {
		return fmt.Errorf("replace %s: %w", filepath.Base(name), err)
	}
	if err := os.Symlink(target, name); err != nil {
		return fmt.Errorf("link %s: %w", filepath.Base(name), err)
	}
	return nil
}

func (l *Lab) startControlPlane(ctx context.Context) error {
	for _, c := range []component{l.etcd(), l.apiServer()} {
		if err := l.ensure(c); err != nil {
			return err
		}
		if err := l.ready(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// startAround starts the API server's clients together and then waits for each.
func (l *Lab) startAround(ctx context.Context) error {
	components := []component{l.controllerManager(), l.scheduler(), l.fakeKubelet(), l.certManager(), l.resizer()}
	for _, c := range components {
		if err := l.ensure(c); err != nil {
			return err
		}
	}
	for _, c := range components {
		if err := l.ready(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
