// Package build makes the lab's binaries from Go modules and keeps them in a cache outside the tree,
// so that a machine with nothing but Go has a real Kubernetes after one slow build.
package build

import "strings"

// Versions of what the lab runs. They are repeated in the nested modules' go.mod files, which decide;
// a test compares the two.
const (
	EtcdVersion        = "v3.6.8"
	KubernetesVersion  = "v1.36.3"
	CertManagerVersion = "v1.21.2"
	ResizerVersion     = "v2.3.0"
)

// Component says how one binary is built.
type Component struct {
	// Name is the file name of the binary.
	Name string
	// Version is the upstream version; empty for a binary whose sources are all in this tree.
	Version string
	// Module is the folder of the Go module that pins its dependencies, relative to lab/.
	Module string
	// Package is what `go build` is given.
	Package string
	// Sources are the folders, relative to lab/, whose Go files are part of the cache key. Upstream
	// binaries have none: their version says it all.
	Sources []string
	// LDFlags are added to -s -w.
	LDFlags []string
	// Cold is a rough duration of a first build on two cores, for the progress line.
	Cold string
}

// All lists every binary of the lab in build order: the slow ones share their packages, so that the
// API server's three minutes are paid once.
func All() []Component {
	return []Component{
		{Name: "etcd", Version: EtcdVersion, Module: "etcd", Package: "go.etcd.io/etcd/server/v3", Cold: "1 min"},
		kubernetes("kube-apiserver", "3 min"),
		kubernetes("kube-controller-manager", "1 min"),
		kubernetes("kube-scheduler", "20 s"),
		kubernetes("kubectl", "40 s"),
		{
			Name: "cert-manager", Version: CertManagerVersion, Module: "certmanager", Package: ".",
			Sources: []string{"certmanager"}, Cold: "2 min",
		},
		{
			Name: "fake-kubelet", Module: ".", Package: "./cmd/fake-kubelet",
			Sources: []string{"cmd/fake-kubelet", "fakekubelet", "csidriver"}, Cold: "1 min",
		},
		{
			Name: "csi-resizer", Version: ResizerVersion, Module: "resizer", Package: ".",
			Sources: []string{"resizer"}, Cold: "1 min",
		},
	}
}

// kubernetes describes one command of k8s.io/kubernetes. Without the stamped version the API server
// reports v0.0.0 and clients misbehave.
func kubernetes(name, cold string) Component {
	parts := strings.SplitN(strings.TrimPrefix(KubernetesVersion, "v"), ".", 3)
	const base, client = "k8s.io/component-base/version", "k8s.io/client-go/pkg/version"
	return Component{
		Name: name, Version: KubernetesVersion, Module: "kube", Package: "k8s.io/kubernetes/cmd/" + name, Cold: cold,
		LDFlags: []string{
			"-X", base + ".gitVersion=" + KubernetesVersion,
			"-X", base + ".gitMajor=" + parts[0],
			"-X", base + ".gitMinor=" + parts[1],
			"-X", client + ".gitVersion=" + KubernetesVersion,
		},
	}
}
