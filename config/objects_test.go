package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// TestObjectsFitTheSchema checks samples and catalog against the definitions as strictly as kubectl does: no unknown field.
func TestObjectsFitTheSchema(t *testing.T) {
	crds := definitions(t)
	for _, pattern := range []string{"samples/*.yaml", "catalog/[ps]*.yaml", "testdata/catalog-*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files match %s", pattern)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, document := range documents(content) {
				object := &unstructured.Unstructured{}
				if err := yaml.Unmarshal(document, &object.Object); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				t.Run(file+"/"+object.GetName(), func(t *testing.T) { checkObject(t, crds, object) })
			}
		}
	}
}

func checkObject(t *testing.T, crds map[string]*apiextensionsv1.CustomResourceDefinition, object *unstructured.Unstructured) {
	t.Helper()
	gvk := object.GroupVersionKind()
	if gvk.Group == "" {
		strict := map[string]any{"Namespace": &corev1.Namespace{}, "Secret": &corev1.Secret{}}[gvk.Kind]
		raw, err := json.Marshal(object.Object)
		if err != nil || strict == nil {
			t.Fatalf("unexpected %s: %v", gvk, err)
		}
		if err := yaml.UnmarshalStrict(raw, strict); err != nil {
			t.Error(err)
		}
		return
	}
	props := schemaOf(t, crds, gvk)
	structural, err := schema.NewStructural(props)
	if err != nil {
		t.Fatal(err)
	}
	defaulting.Default(object.Object, structural)
	unknown := pruning.PruneWithOptions(object.DeepCopy().Object, structural, true,
		schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	if len(unknown) > 0 {
		t.Errorf("unknown fields: %v", unknown)
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		t.Fatal(err)
	}
	if errs := validation.ValidateCustomResource(nil, object.Object, validator); len(errs) > 0 {
		t.Error(errs.ToAggregate())
	}
}

// schemaOf finds the schema of a kind and version.
func schemaOf(t *testing.T, crds map[string]*apiextensionsv1.CustomResourceDefinition, gvk k8sschema.GroupVersionKind) *apiextensions.JSONSchemaProps {
	t.Helper()
	for _, crd := range crds {
		if crd.Spec.Group != gvk.Group || crd.Spec.Names.Kind != gvk.Kind {
			continue
		}
		for _, v := range crd.Spec.Versions {
			if v.Name != gvk.Version {
				continue
			}
			props := &apiextensions.JSONSchemaProps{}
			if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, props, nil); err != nil {
				t.Fatal(err)
			}
			return props
		}
	}
	t.Fatalf("no definition for %s", gvk)
	return nil
}
