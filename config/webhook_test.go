package config_test

import (
	"os"
	"slices"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"sigs.k8s.io/yaml"
)

// webhooks reads the two configurations; mutating ones come as validating ones, without reinvocationPolicy.
func webhooks(t *testing.T, file string) []admissionregistrationv1.ValidatingWebhook {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	config := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := yaml.Unmarshal(content, config); err != nil {
		t.Fatal(err)
	}
	if len(config.Webhooks) != 4 {
		t.Fatalf("%s has %d webhooks, want one for each of the four kinds", file, len(config.Webhooks))
	}
	return config.Webhooks
}

// TestWebhookScope holds what keeps a webhook outage from spreading: our kinds only, no subresource, no DELETE.
func TestWebhookScope(t *testing.T) {
	for _, file := range []string{"webhook/mutating.yaml", "webhook/validating.yaml"} {
		for _, w := range webhooks(t, file) {
			t.Run(file+"/"+w.Name, func(t *testing.T) {
				if *w.FailurePolicy != admissionregistrationv1.Fail || *w.SideEffects != admissionregistrationv1.SideEffectClassNone ||
					*w.MatchPolicy != admissionregistrationv1.Equivalent || *w.TimeoutSeconds > 5 {
					t.Error("failurePolicy, sideEffects, matchPolicy or timeoutSeconds is not as designed")
				}
				if w.ClientConfig.CABundle != nil {
					t.Error("a caBundle would fight with the one that the operator injects")
				}
				for _, r := range w.Rules {
					want := []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update}
					if !slices.Equal(r.Operations, want) {
						t.Errorf("operations are %v, want %v", r.Operations, want)
					}
					if len(r.Resources) != 1 || slices.Contains([]string{"*", "*/*"}, r.Resources[0]) {
						t.Errorf("resources are %v, want one, without subresources", r.Resources)
					}
				}
			})
		}
	}
}

func TestMatchConditions(t *testing.T) {
	metadata := func(object map[string]any) map[string]any {
		return with(object, "metadata", "labels", map[string]any{"a": "b"})
	}
	ending := with(database("2"), "metadata", "deletionTimestamp", "2026-01-01T00:00:00Z")
	// Which of the four configurations are called: mutating and validating, for databases and for requests.
	type called struct{ mutateDatabase, mutateRequest, validateDatabase, validateRequest bool }
	all, none := called{true, true, true, true}, called{}
	for name, tc := range map[string]struct {
		operation   admission.Operation
		object, old map[string]any
		by          user.Info
		want        called
	}{
		"create":              {admission.Create, database("1"), nil, alice, all},
		"update":              {admission.Update, database("2"), database("1"), alice, all},
		"update of labels":    {admission.Update, metadata(database("1")), database("1"), alice, none},
		"update while ending": {admission.Update, ending, database("1"), alice, none},
		"operator creates":    {admission.Create, database("1"), nil, operator, called{true, true, false, false}},
		"operator updates":    {admission.Update, database("2"), database("1"), operator, called{false, true, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			in := call{kind: singlestore, operation: tc.operation, object: tc.object, old: tc.old, by: tc.by}
			mutating, validating := webhooks(t, "webhook/mutating.yaml"), webhooks(t, "webhook/validating.yaml")
			for i := range mutating {
				wantMutate, wantValidate := tc.want.mutateDatabase, tc.want.validateDatabase
				if i >= 2 {
					wantMutate, wantValidate = tc.want.mutateRequest, tc.want.validateRequest
				}
				if got := matcher(t, mutating[i].MatchConditions)(in); got != wantMutate {
					t.Errorf("%s is called: %v, want %v", mutating[i].Name, got, wantMutate)
				}
				if got := matcher(t, validating[i].MatchConditions)(in); got != wantValidate {
					t.Errorf("%s is called: %v, want %v", validating[i].Name, got, wantValidate)
				}
			}
		})
	}
}
