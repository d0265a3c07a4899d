// Package floors holds the house together: who may import whom. A linter says the same while one types; this test reads
// what really is imported.
package floors

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/drydock-db/drydock/"

// floor of each folder; nothing imports from a higher one, and folders of one floor do not know each other.
var floor = map[string]int{
	"apis": 0, "ops": 1, "certs": 1, "engines": 2, "internal": 3, "controllers": 4, "webhooks": 4, "cmd": 5,
}

// hands are what acts on a cluster; what decides and what translates does not get them.
var hands = []string{"k8s.io/client-go", "sigs.k8s.io/controller-runtime", "net", "net/http", "os", "os/exec"}

// pure says what the folders of the lower floors may not import themselves. (Below them, Kubernetes' own API types pull in
// nearly everything.)
var pure = map[string][]string{
	"ops":     append([]string{"context"}, hands...),
	"certs":   append([]string{"context"}, slices.DeleteFunc(slices.Clone(hands), func(s string) bool { return s == "net" })...), // net.ParseIP
	"engines": append([]string{"context"}, hands...),
}

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
}

// packages lists this module's packages; what is only compiled with a build tag is listed too.
func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lab,faults", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// folder is the first part of a package's path inside this module.
func folder(path string) (name string, ours bool) {
	rest, ours := strings.CutPrefix(path, module)
	name, _, _ = strings.Cut(rest, "/")
	return name, ours
}

func TestNothingPointsUp(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		from, ours := folder(p.ImportPath)
		level, housed := floor[from]
		if !ours || !housed {
			continue
		}
		seen[from] = true
		for _, path := range p.Imports {
			to, ours := folder(path)
			if !ours || to == from {
				continue
			}
			if target, housed := floor[to]; !housed || target >= level {
				t.Errorf("%s imports %s: %s may only import from the floors below it", p.ImportPath, path, from)
			}
		}
	}
	for name := range floor {
		if !seen[name] {
			t.Errorf("found no package in %s: is the table of floors out of date?", name)
		}
	}
}

func TestDecidersHaveNoHands(t *testing.T) {
	for _, p := range packages(t) {
		from, ours := folder(p.ImportPath)
		if !ours || strings.HasSuffix(p.ImportPath, "test") { // helpers of tests read golden files
			continue
		}
		for _, path := range p.Imports {
			if slices.ContainsFunc(pure[from], func(denied string) bool { return path == denied || within(path, denied) }) {
				t.Errorf("%s imports %s: what decides or translates does not act", p.ImportPath, path)
			}
		}
	}
}

// within says whether a package is inside a module or folder of packages; a standard package is only itself.
func within(path, module string) bool {
	return strings.Contains(module, ".") && strings.HasPrefix(path, module+"/")
}

// TestOperatorStaysSmall because a module that only a test needs must not end up in the operator.
func TestOperatorStaysSmall(t *testing.T) {
	for _, p := range packages(t) {
		for _, denied := range []string{"k8s.io/kubernetes", "helm.sh/helm", "sigs.k8s.io/controller-tools"} {
			if within(p.ImportPath, denied) {
				t.Errorf("%s is among the operator's dependencies", p.ImportPath)
			}
		}
	}
}

// tell are the packages by which something is told, and who may: the journal; and the webhook server of its own certificate.
var tell = map[string][]string{
	"k8s.io/client-go/tools/events":                  {"internal/journal"},
	"k8s.io/client-go/tools/record":                  nil,
	"github.com/prometheus/client_golang/prometheus": {"internal/journal", "internal/serving"},
}

func TestOnlyTheJournalTells(t *testing.T) {
	told := map[string]bool{}
	for _, p := range packages(t) {
		name, ours := strings.CutPrefix(p.ImportPath, module)
		if part, _ := folder(p.ImportPath); !ours || part == "test" {
			continue
		}
		for _, path := range p.Imports {
			may, watched := tell[path]
			told[path] = told[path] || watched
			if watched && !slices.Contains(may, name) {
				t.Errorf("%s imports %s: what happens is told by internal/journal alone", name, path)
			}
		}
	}
	for path, may := range tell {
		if len(may) > 0 && !told[path] {
			t.Errorf("nobody imports %s any more: what tells instead?", path)
		}
	}
}
