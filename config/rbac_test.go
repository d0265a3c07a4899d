package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite golden files")

// role is a Role or a ClusterRole.
type role struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Rules             []rbacv1.PolicyRule `json:"rules"`
}

// roles reads config/rbac, in the order of the files, and what config/petset adds.
func roles(t *testing.T) []role {
	t.Helper()
	files, err := filepath.Glob("rbac/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []role
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range documents(content) {
			var r role
			if err := yaml.Unmarshal(document, &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if r.Kind == "Role" || r.Kind == "ClusterRole" {
				all = append(all, r)
			}
		}
	}
	return append(all, petSetRights(t))
}

// petSetRights reads the rights that config/petset adds to the operator's own role, as a role of their own.
func petSetRights(t *testing.T) role {
	t.Helper()
	content, err := os.ReadFile("petset/rights.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var patch []struct {
		Value rbacv1.PolicyRule `json:"value"`
	}
	if err := yaml.Unmarshal(content, &patch); err != nil {
		t.Fatal(err)
	}
	r := role{TypeMeta: metav1.TypeMeta{Kind: "ClusterRole"}, ObjectMeta: metav1.ObjectMeta{Name: "drydock with PetSets"}}
	for _, p := range patch {
		r.Rules = append(r.Rules, p.Value)
	}
	return r
}

// TestRights compares every right that is given with a golden file, one line each, so that a review sees each new one.
func TestRights(t *testing.T) {
	var lines []string
	for _, r := range roles(t) {
		for _, rule := range r.Rules {
			for _, resource := range append(slices.Clone(rule.Resources), rule.NonResourceURLs...) {
				names := ""
				if len(rule.ResourceNames) > 0 {
					names = " named " + strings.Join(rule.ResourceNames, ",")
				}
				for _, group := range orCore(rule.APIGroups) {
					lines = append(lines, fmt.Sprintf("%s %s: %s/%s%s: %s", r.Kind, r.Name, group, resource, names, strings.Join(rule.Verbs, " ")))
				}
			}
		}
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile("testdata/rbac.golden", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/rbac.golden")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("rights differ from testdata/rbac.golden; if that is meant, run `go test ./config -update`. Now:\n%s", got)
	}
}

func orCore(groups []string) []string {
	named := slices.Clone(groups)
	for i, g := range named {
		if g == "" {
			named[i] = "core"
		}
	}
	if len(named) == 0 {
		return []string{"url"}
	}
	return named
}

// TestRightsAreNarrow holds the rules of SECURITY.md, whatever the golden file says.
func TestRightsAreNarrow(t *testing.T) {
	for _, r := range roles(t) {
		for _, rule := range r.Rules {
			for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs} {
				if slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, "*") }) {
					t.Errorf("%s: a wildcard in %v", r.Name, list)
				}
			}
			for _, verb := range []string{"escalate", "bind", "impersonate"} {
				if slices.Contains(rule.Verbs, verb) {
					t.Errorf("%s: verb %s", r.Name, verb)
				}
			}
			if slices.Contains(rule.Resources, "secrets") && (slices.Contains(rule.Verbs, "list") || slices.Contains(rule.Verbs, "watch")) {
				t.Errorf("%s: lists or watches Secrets", r.Name)
			}
			if slices.Contains(rule.APIGroups, rbacv1.GroupName) {
				t.Errorf("%s: rights over RBAC", r.Name)
			}
		}
	}
}
