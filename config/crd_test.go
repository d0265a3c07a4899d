// Package config_test checks the manifests of this folder the way an API server would.
package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"sigs.k8s.io/yaml"
)

// definitions reads config/crd by name of the definition.
func definitions(t *testing.T) map[string]*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	files, err := filepath.Glob("crd/*_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no definitions in crd; run `make manifests`")
	}
	all := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(content, crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[crd.Name] = crd
	}
	return all
}

// TestDefinitionsAreAccepted runs the API server's own validation, which includes the cost budget of CEL rules.
func TestDefinitionsAreAccepted(t *testing.T) {
	for name, crd := range definitions(t) {
		t.Run(name, func(t *testing.T) {
			apiextensionsv1.SetDefaults_CustomResourceDefinition(crd)
			apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&crd.Spec)
			stored := storageVersion(t, crd)
			crd.Status.StoredVersions = []string{stored}
			internal := &apiextensions.CustomResourceDefinition{}
			if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(crd, internal, nil); err != nil {
				t.Fatal(err)
			}
			if errs := validation.ValidateCustomResourceDefinition(t.Context(), internal); len(errs) > 0 {
				t.Error(errs.ToAggregate())
			}
		})
	}
}

func storageVersion(t *testing.T, crd *apiextensionsv1.CustomResourceDefinition) string {
	t.Helper()
	for _, v := range crd.Spec.Versions {
		if v.Storage {
			return v.Name
		}
	}
	t.Fatal("no storage version")
	return ""
}

// TestVersionsShareOneSchema holds the promise behind conversion None: an object read in one version and written in the
// other loses nothing.
func TestVersionsShareOneSchema(t *testing.T) {
	crd := definitions(t)["perconaxtradbs.kubedb.com"]
	if crd.Spec.Conversion != nil && crd.Spec.Conversion.Strategy != apiextensionsv1.NoneConverter {
		t.Errorf("conversion is %s, want None", crd.Spec.Conversion.Strategy)
	}
	schemas := map[string]string{}
	for _, v := range crd.Spec.Versions {
		if !v.Served {
			t.Errorf("%s is not served", v.Name)
		}
		v.Schema.OpenAPIV3Schema.Description = ""
		schema, err := json.Marshal(v.Schema)
		if err != nil {
			t.Fatal(err)
		}
		schemas[v.Name] = string(schema)
	}
	if len(schemas) != 2 || schemas["v1"] != schemas["v1alpha2"] {
		t.Error("v1 and v1alpha2 differ in their schema")
	}
	if stored := storageVersion(t, crd); stored != "v1" {
		t.Errorf("storage version is %s, want v1", stored)
	}
}

// TestTables because scripts and eyes know the columns of kubectl get; what is worth adding goes to -o wide.
func TestTables(t *testing.T) {
	database := []string{"Version", "Status", "LastOperation", "Reason*", "Age"}
	request := []string{"Type", "Status", "Database", "Progress", "Reason*", "Message*", "Age"}
	version := []string{"Version", "DB_IMAGE", "Deprecated", "Age"}
	want := map[string][]string{
		"perconaxtradbs.kubedb.com v1":                      database,
		"perconaxtradbs.kubedb.com v1alpha2":                database,
		"singlestores.kubedb.com v1alpha2":                  database,
		"perconaxtradbopsrequests.ops.kubedb.com v1alpha1":  request,
		"singlestoreopsrequests.ops.kubedb.com v1alpha1":    request,
		"perconaxtradbversions.catalog.kubedb.com v1alpha1": version,
		"singlestoreversions.catalog.kubedb.com v1alpha1":   version,
	}
	got := map[string][]string{}
	for name, crd := range definitions(t) {
		for _, v := range crd.Spec.Versions {
			var columns []string
			for _, c := range v.AdditionalPrinterColumns {
				title := c.Name
				if c.Priority > 0 {
					title += "*" // only with -o wide
				}
				columns = append(columns, title)
			}
			got[name+" "+v.Name] = columns
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestNames because manifests, scripts and fingers know them.
func TestNames(t *testing.T) {
	type names struct {
		Short, Categories []string
		Paths             map[string]string
	}
	database := map[string]string{"Version": ".spec.version", "Status": ".status.phase", "Age": ".metadata.creationTimestamp"}
	request := map[string]string{
		"Type": ".spec.type", "Status": ".status.phase", "Database": ".spec.databaseRef.name", "Progress": ".status.progress",
		"Age": ".metadata.creationTimestamp",
	}
	version := map[string]string{
		"Version": ".spec.version", "DB_IMAGE": ".spec.db.image", "Deprecated": ".spec.deprecated", "Age": ".metadata.creationTimestamp",
	}
	want := map[string]names{
		"perconaxtradbs.kubedb.com":                {[]string{"px"}, []string{"all", "appscode", "datastore", "kubedb"}, database},
		"singlestores.kubedb.com":                  {[]string{"sdb"}, []string{"all", "appscode", "datastore", "kubedb"}, database},
		"perconaxtradbopsrequests.ops.kubedb.com":  {[]string{"pxcops"}, []string{"appscode", "kubedb", "ops"}, request},
		"singlestoreopsrequests.ops.kubedb.com":    {[]string{"sdbops"}, []string{"appscode", "kubedb", "ops"}, request},
		"perconaxtradbversions.catalog.kubedb.com": {[]string{"pxversion"}, []string{"appscode", "catalog", "kubedb"}, version},
		"singlestoreversions.catalog.kubedb.com":   {[]string{"sdbv"}, []string{"appscode", "catalog", "kubedb"}, version},
	}
	got := map[string]names{}
	for name, crd := range definitions(t) {
		n := names{Short: crd.Spec.Names.ShortNames, Categories: slices.Sorted(slices.Values(crd.Spec.Names.Categories)), Paths: map[string]string{}}
		for _, c := range crd.Spec.Versions[0].AdditionalPrinterColumns {
			if _, asked := want[name].Paths[c.Name]; asked {
				n.Paths[c.Name] = c.JSONPath
			}
		}
		got[name] = n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestKustomizationListsAllDefinitions because the list is kept by hand.
func TestKustomizationListsAllDefinitions(t *testing.T) {
	content, err := os.ReadFile("crd/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Resources []string }
	if err := yaml.Unmarshal(content, &list); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("crd/*_*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	slices.Sort(files)
	slices.Sort(list.Resources)
	if !slices.Equal(files, list.Resources) {
		t.Errorf("crd/kustomization.yaml lists %v, want %v", list.Resources, files)
	}
}
