// Package cluster runs a Kubernetes control plane on this machine's loopback interface: real etcd, API
// server, controllers, scheduler and cert-manager, with fake nodes. Everything a lab owns is below one
// folder, so that several labs can run side by side and leave nothing behind.
package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/drydock-db/drydock/lab/build"
)

// Names of the processes, also of their logs.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	fakeKubelet       = "fake-kubelet"
	certManager       = "cert-manager"
	csiResizer        = "csi-resizer"
	operator          = "drydock"
)

// Lab is one lab on disk, running or not.
type Lab struct {
	// Dir is the absolute path of the lab's folder.
	Dir string
	// Out receives progress lines.
	Out io.Writer

	state    State
	binaries map[string]string
}

// Open reads what is known about the lab in dir, which need not exist yet, and locks it against other
// commands until close is called.
func Open(ctx context.Context, dir string, out io.Writer) (lab *Lab, closeLab func(), err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("resolve the lab's folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("make the lab's folder: %w", err)
	}
	unlock, err := build.Lock(ctx, filepath.Join(dir, "lock"), out, "another command of this lab")
	if err != nil {
		return nil, nil, err
	}
	lab = &Lab{Dir: dir, Out: out}
	if lab.state, err = readState(lab.path("state.json")); err != nil {
		unlock()
		return nil, nil, err
	}
	return lab, unlock, nil
}

// path joins names below the lab's folder.
func (l *Lab) path(names ...string) string {
	return filepath.Join(append([]string{l.Dir}, names...)...)
}

// data joins names below the part of the lab's folder that `down` removes.
func (l *Lab) data(names ...string) string {
	return filepath.Join(append([]string{l.Dir, "data"}, names...)...)
}

func (l *Lab) say(format string, args ...any) {
	fmt.Fprintf(l.Out, format+"\n", args...)
}

// step runs one long step and says how long it took.
func (l *Lab) step(name string, do func() error) error {
	start := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l.say("%s: done in %s", name, since(start))
	return nil
}

// since rounds for humans.
func since(start time.Time) time.Duration {
	return time.Since(start).Round(10 * time.Millisecond)
}
