package config_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// refusals returns what the API server says to an object of a kind: errors of the schema, and those of the CEL rules, which it asks
// only when the schema has none.
func refusals(t *testing.T, kind k8sschema.GroupVersionKind) func(object string) []string {
	t.Helper()
	props := schemaOf(t, definitions(t), kind)
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		t.Fatal(err)
	}
	structural, err := schema.NewStructural(props)
	if err != nil {
		t.Fatal(err)
	}
	rules := schemacel.NewValidator(structural, true, celconfig.PerCallLimit)
	return func(object string) []string {
		raw, err := yaml.YAMLToJSON([]byte(object))
		if err != nil {
			t.Fatal(err)
		}
		var content map[string]any
		if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &content); err != nil {
			t.Fatal(err)
		}
		errs := validation.ValidateCustomResource(nil, content, validator)
		if len(errs) == 0 {
			errs, _ = rules.Validate(t.Context(), nil, structural, content, nil, celconfig.RuntimeCELCostBudget)
		}
		var texts []string
		for _, e := range errs {
			texts = append(texts, e.Error())
		}
		slices.Sort(texts)
		return texts
	}
}

// TestQuantities: no quantity is let through that takes forever to compare, wherever it is.
func TestQuantities(t *testing.T) {
	count := 0
	for name, crd := range definitions(t) {
		for _, v := range crd.Spec.Versions {
			visit(v.Schema.OpenAPIV3Schema, func(s *apiextensionsv1.JSONSchemaProps) {
				if !s.XIntOrString || s.Pattern == "" {
					return // a port, or the like
				}
				count++
				pattern := regexp.MustCompile(s.Pattern)
				for _, good := range []string{"0", "10Gi", "1.5", ".5", "-1Gi", "+1k", "100m", "1e3", "1E-06", "1e30", "00000000000000000000000000000001"} {
					if !pattern.MatchString(good) {
						t.Errorf("%s: %q is refused by %s", name, good, s.Pattern)
					}
				}
				for _, bad := range []string{"1e999999999", "1e-999999999", "1E100", "1e2147483647", "e99", "1e1.5", "100000000000000000000000000000000"} {
					if pattern.MatchString(bad) {
						t.Errorf("%s: %q is let through by %s", name, bad, s.Pattern)
					}
				}
			})
		}
	}
	if count < 100 {
		t.Errorf("only %d quantities: does the test still find them?", count)
	}
}

// visit calls f for a schema and all below it.
func visit(s *apiextensionsv1.JSONSchemaProps, f func(*apiextensionsv1.JSONSchemaProps)) {
	f(s)
	for _, child := range s.Properties {
		visit(&child, f)
	}
	if s.Items != nil && s.Items.Schema != nil {
		visit(s.Items.Schema, f)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		visit(s.AdditionalProperties.Schema, f)
	}
}

// TestWrongTypes: the mutating webhooks let through what they cannot read, because the schema names every field.
func TestWrongTypes(t *testing.T) {
	ofRequest := refusals(t, request)
	ofDatabase := refusals(t, k8sschema.GroupVersionKind{Group: "kubedb.com", Version: "v1", Kind: "PerconaXtraDB"})
	for name, c := range map[string]struct {
		refusals func(string) []string
		object   string
		want     []string
	}{
		"nothing wrong": {ofRequest, `{spec: {type: VolumeExpansion, databaseRef: {name: sdb}, timeout: 10m,
			volumeExpansion: {mode: Online, leaf: 11Gi, aggregator: 12884901888}}}`, nil},
		"types": {ofRequest, `{spec: {type: Restart, databaseRef: {name: sdb}, timeout: 300, restart: true, maxRetries: "1"}}`, []string{
			`spec.maxRetries: Invalid value: "string": spec.maxRetries in body must be of type integer: "string"`,
			`spec.restart: Invalid value: "boolean": spec.restart in body must be of type object: "boolean"`,
			`spec.timeout: Invalid value: "integer": spec.timeout in body must be of type string: "integer"`,
		}},
		"a large number": {ofRequest, `{spec: {type: Restart, databaseRef: {name: sdb}, maxRetries: 3000000000}}`, []string{
			`<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.maxRetries`,
		}},
		"a long duration": {ofRequest, `{spec: {type: Restart, databaseRef: {name: sdb}, timeout: 000000000000000000000000000000010m}}`, []string{
			`spec.timeout: Too long: may not be more than 32 bytes`,
		}},
		"types of a database": {ofDatabase, `{spec: {version: "8", replicas: "3", requireSSL: "yes"}}`, []string{
			`spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"`,
			`spec.requireSSL: Invalid value: "string": spec.requireSSL in body must be of type boolean: "string"`,
		}},
		"durations of a database": {ofDatabase, `{spec: {version: "8", authSecret: {rotateAfter: 90d},
			tls: {certificates: [{alias: server, duration: 1y, renewBefore: -1h}, {alias: client, renewBefore: soon}]}}}`, []string{
			`spec.authSecret.rotateAfter: Invalid value: "90d": write a duration such as 10m or 1h30m`,
			`spec.tls.certificates[0].duration: Invalid value: "1y": write a duration such as 10m or 1h30m`,
			`spec.tls.certificates[1].renewBefore: Invalid value: "soon": write a duration such as 10m or 1h30m`,
		}},
	} {
		if diff := cmp.Diff(c.want, c.refusals(c.object)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestDurations: what is a duration in the definitions is one in Go. One that is not above zero is for a rule that says more.
func TestDurations(t *testing.T) {
	ofRequest := refusals(t, request)
	for _, overflows := range []string{"2562048h", "9999999h", "-9999999h"} {
		got := ofRequest(`{spec: {type: Restart, databaseRef: {name: sdb}, timeout: "` + overflows + `"}}`)
		if len(got) != 1 || !strings.HasPrefix(got[0], "spec.timeout: ") || !strings.HasSuffix(got[0], "write a duration such as 10m or 1h30m") {
			t.Errorf("%q: %q", overflows, got)
		}
	}
	for _, text := range []string{
		"10m", "1h30m", "0", "-0", "+0", "-5s", "+5s", "1.5h", ".5h", "1.h", "100ms", "1us", "1µs", "1μs", "5ns", "2562047h47m16.854775807s",
		"0s", "00h", "1h1h", "", "300", "00", "soon", "1d", "1y", "1w", "h", ".h", ".", "-", "1h 30m", " 1h", "1h ", "1,5h", "1..5h", "--1h",
		"1H", "1h30", "PT1H", "1e3s",
	} {
		var want []string
		if _, err := time.ParseDuration(text); err != nil {
			want = []string{`spec.timeout: Invalid value: "` + text + `": write a duration such as 10m or 1h30m`}
		}
		if diff := cmp.Diff(want, ofRequest(`{spec: {type: Restart, databaseRef: {name: sdb}, timeout: "`+text+`"}}`)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
