package config_test

import (
	"context"
	"os"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

// The identities that the tables speak of.
var (
	alice    = &user.DefaultInfo{Name: "alice", Groups: []string{"dev", "system:authenticated"}}
	operator = &user.DefaultInfo{Name: "system:serviceaccount:drydock-system:drydock"}
)

// call is one request as the API server's admission chain sees it.
type call struct {
	kind      schema.GroupVersionKind
	operation admission.Operation
	object    map[string]any
	old       map[string]any
	by        user.Info
	namespace *corev1.Namespace
}

func (c call) attributes() *admission.VersionedAttributes {
	object := func(content map[string]any) runtime.Object {
		if content == nil {
			return nil
		}
		return &unstructured.Unstructured{Object: content}
	}
	resource := c.kind.GroupVersion().WithResource("any")
	attributes := &admission.VersionedAttributes{
		Attributes: admission.NewAttributesRecord(object(c.object), object(c.old), c.kind, "demo", "db", resource, "",
			c.operation, nil, false, c.by),
		VersionedKind: c.kind,
	}
	if c.object != nil {
		attributes.VersionedObject.Set(object(c.object))
	}
	if c.old != nil {
		attributes.VersionedOldObject.Set(object(c.old))
	}
	return attributes
}

func compiler(t *testing.T, variables []admissionregistrationv1.Variable) *cel.CompositedCompiler {
	t.Helper()
	env := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	c, err := cel.NewCompositedCompiler(env)
	if err != nil {
		t.Fatal(err)
	}
	named := make([]cel.NamedExpressionAccessor, len(variables))
	for i, v := range variables {
		named[i] = &validating.Variable{Name: v.Name, Expression: v.Expression}
	}
	c.CompileAndStoreVariables(named, cel.OptionalVariableDeclarations{HasAuthorizer: true}, environment.NewExpressions)
	return c
}

// policyFile compiles the policy of a file the way the API server does.
func policyFile(t *testing.T, file string) func(call) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{}
	if err := yaml.UnmarshalStrict(documents(content)[0], policy); err != nil {
		t.Fatal(err)
	}
	c := compiler(t, policy.Spec.Variables)
	var rules, messages []cel.ExpressionAccessor
	for _, v := range policy.Spec.Validations {
		rules = append(rules, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason})
		var message cel.ExpressionAccessor
		if v.MessageExpression != "" {
			message = &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression}
		}
		messages = append(messages, message)
	}
	plain := cel.OptionalVariableDeclarations{}
	compiled := c.CompileCondition(rules, cel.OptionalVariableDeclarations{HasAuthorizer: true}, environment.NewExpressions)
	told := c.CompileCondition(messages, plain, environment.NewExpressions)
	for _, err := range append(compiled.CompilationErrors(), told.CompilationErrors()...) {
		t.Fatal(err)
	}
	validator := validating.NewValidator(compiled, nil, c.CompileCondition(nil, plain, environment.NewExpressions), told,
		policy.Spec.FailurePolicy, nil)
	return func(in call) []string {
		var denials []string
		result := validator.Validate(context.Background(), in.kind.GroupVersion().WithResource("any"), in.attributes(), nil,
			in.namespace, celconfig.RuntimeCELCostBudget, nil)
		for _, d := range result.Decisions {
			if d.Action == validating.ActionDeny {
				denials = append(denials, d.Message)
			}
		}
		return denials
	}
}

// matcher compiles a webhook's matchConditions and says whether the webhook is called.
func matcher(t *testing.T, conditions []admissionregistrationv1.MatchCondition) func(call) bool {
	t.Helper()
	c := compiler(t, nil)
	expressions := make([]cel.ExpressionAccessor, len(conditions))
	for i := range conditions {
		expressions[i] = (*matchconditions.MatchCondition)(&conditions[i])
	}
	compiled := c.CompileCondition(expressions, cel.OptionalVariableDeclarations{HasAuthorizer: true}, environment.NewExpressions)
	for _, err := range compiled.CompilationErrors() {
		t.Fatal(err)
	}
	fail := admissionregistrationv1.Fail
	m := matchconditions.NewMatcher(compiled, &fail, "webhook", "test", "test")
	return func(in call) bool {
		result := m.Match(context.Background(), in.attributes(), nil, nil)
		if result.Error != nil {
			t.Fatal(result.Error)
		}
		return result.Matches
	}
}

// terminating is a namespace, or an object's metadata, that is being deleted.
var terminating = metav1.Unix(1, 0)
