package config_test

import (
	"regexp"
	"slices"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// refusals are the errors of a definition's schema and of its CEL rules, which the API server asks only when the schema has none.
func refusals(t *testing.T, props *apiextensions.JSONSchemaProps, object string) []string {
	t.Helper()
	content := map[string]any{}
	if err := yaml.Unmarshal([]byte(object), &content); err != nil {
		t.Fatal(err)
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		t.Fatal(err)
	}
	structural, err := schema.NewStructural(props)
	if err != nil {
		t.Fatal(err)
	}
	errs := validation.ValidateCustomResource(nil, content, validator)
	if rules := schemacel.NewValidator(structural, true, celconfig.PerCallLimit); len(errs) == 0 && rules != nil {
		errs, _ = rules.Validate(t.Context(), nil, structural, content, nil, celconfig.RuntimeCELCostBudget)
	}
	var texts []string
	for _, e := range errs {
		texts = append(texts, e.Error())
	}
	return texts
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

func TestRequestSchema(t *testing.T) {
	props := schemaOf(t, definitions(t), k8sschema.GroupVersionKind{Group: "ops.kubedb.com", Version: "v1alpha1", Kind: "SinglestoreOpsRequest"})
	for object, want := range map[string][]string{
		`{spec: {type: VolumeExpansion, databaseRef: {name: sdb}, volumeExpansion: {mode: Online, leaf: 11Gi, aggregator: 12884901888}}}`: nil,
	} {
		if got := refusals(t, props, object); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", object, got, want)
		}
	}
}
