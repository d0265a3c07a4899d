package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The versions named here must be those that the nested modules pin.
func TestVersionsMatchModules(t *testing.T) {
	for module, requirement := range map[string]string{
		"etcd":        "go.etcd.io/etcd/server/v3 " + EtcdVersion,
		"kube":        "k8s.io/kubernetes " + KubernetesVersion,
		"certmanager": "github.com/cert-manager/cert-manager " + CertManagerVersion,
		"resizer":     "github.com/kubernetes-csi/external-resizer/v2 " + ResizerVersion,
	} {
		content, err := os.ReadFile(filepath.Join("..", module, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), requirement) {
			t.Errorf("%s/go.mod does not require %q", module, requirement)
		}
	}
}

func TestPathFollowsSources(t *testing.T) {
	lab := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(lab, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m")
	write("go.sum", "")
	write("own/main.go", "package main")
	b := &Builder{Lab: lab, Cache: "cache", goVersion: "go1.0"}
	own := Component{Name: "own", Module: ".", Sources: []string{"own"}}
	path := func() string {
		t.Helper()
		p, err := b.Path(own)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	before := path()
	write("own/main_test.go", "package main")
	if path() != before {
		t.Error("a test file changes the binary's name")
	}
	write("own/main.go", "package main // changed")
	if path() == before {
		t.Error("a changed source keeps the binary's name")
	}
	if upstream, err := b.Path(Component{Name: "etcd", Version: "v1"}); err != nil || !strings.HasPrefix(upstream, filepath.Join("cache", "etcd-v1-go1.0-")) {
		t.Errorf("path of an upstream binary: %s, error %v", upstream, err)
	}
}
