// Package enginetest holds the tests that every engine has to pass.
package enginetest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/drydock-db/drydock/engines"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// Golden renders the database in testdata/<name>.yaml and compares the objects with testdata/<name>.golden.yaml. The
// manifest has to be one that admission lets pass.
func Golden(t *testing.T, e engines.Engine, name string, in engines.Inputs) {
	t.Helper()
	db := Load(t, e, filepath.Join("testdata", name+".yaml"))
	e.Default(db)
	if errs := append(e.CheckDatabase(db, nil), engines.CheckPodTemplates(e, e.Settings(db))...); len(errs) > 0 {
		t.Fatalf("the manifest is refused: %v", errs.ToAggregate())
	}
	objects, err := e.Render(db, in)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, filepath.Join("testdata", name+".golden.yaml"), Print(t, objects))
}

// Load reads a manifest strictly: an unknown field is an error, as it is for kubectl.
func Load(t *testing.T, e engines.Engine, file string) engines.Database {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db := e.Kind().NewDatabase()
	if err := yaml.UnmarshalStrict(raw, db); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return db
}

// Print writes all objects as YAML documents, Secrets as text.
func Print(t *testing.T, o engines.Objects) string {
	t.Helper()
	var documents []any
	if o.ServiceAccount != nil {
		documents = append(documents, o.ServiceAccount)
	}
	for _, s := range o.Services {
		documents = append(documents, s)
	}
	for _, s := range o.AuthSecrets {
		documents = append(documents, map[string]any{"generate": s.Generate, "secret": readable(s.Secret)})
	}
	for _, g := range o.Groups {
		documents = append(documents, readable(g.Config), g.StatefulSet, g.PDB)
	}
	var parts []string
	for _, d := range documents {
		raw, err := yaml.Marshal(withoutStatus(t, d))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(raw))
	}
	return strings.Join(parts, "---\n")
}

// withoutStatus leaves out what Go structs have and no one sends.
func withoutStatus(t *testing.T, o any) any {
	t.Helper()
	raw, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	delete(tree, "status")
	return tree
}

func readable(s *corev1.Secret) *corev1.Secret {
	s = s.DeepCopy()
	s.StringData = map[string]string{}
	for k, v := range s.Data {
		s.StringData[k] = string(v)
	}
	s.Data = nil
	return s
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // a file of the repository
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; if that is right, write it with -update\n%s", file, diff)
	}
}
