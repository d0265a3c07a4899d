// Package charts_test holds the Helm chart to what kustomize renders: one operator, two ways to install it.
package charts_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// tool returns the path of a program that the Makefile builds.
func tool(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skipf("%s is not set; run `make chart`", variable)
	}
	return path
}

func render(t *testing.T, program string, args ...string) map[string]map[string]any {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, stderr.String())
	}
	objects := map[string]map[string]any{}
	for decoder := yaml.NewYAMLOrJSONDecoder(&stdout, 4096); ; {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		if len(o.Object) == 0 {
			continue
		}
		key := strings.Join([]string{o.GetKind(), o.GetNamespace(), o.GetName()}, " ")
		if objects[key] != nil {
			t.Errorf("%s renders %s twice", filepath.Base(program), key)
		}
		objects[key] = normal(o)
	}
}

// normal is the object without what says who installed it.
func normal(o *unstructured.Unstructured) map[string]any {
	labels := o.GetLabels()
	for _, key := range []string{
		"app.kubernetes.io/part-of", "app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/version", "helm.sh/chart",
	} {
		delete(labels, key)
	}
	annotations := o.GetAnnotations()
	delete(annotations, "helm.sh/resource-policy")
	for field, left := range map[string]map[string]string{"labels": labels, "annotations": annotations} {
		if len(left) == 0 {
			unstructured.RemoveNestedField(o.Object, "metadata", field)
		} else if err := unstructured.SetNestedStringMap(o.Object, left, "metadata", field); err != nil {
			panic(err) // a map of strings always fits
		}
	}
	return o.Object
}

// chart renders the chart as an install into a cluster that knows the definitions.
func chart(t *testing.T, namespace string, values ...string) map[string]map[string]any {
	t.Helper()
	args := []string{"template", "drydock", "drydock", "--namespace", namespace, "--api-versions", "catalog.kubedb.com/v1alpha1"}
	for _, v := range values {
		args = append(args, "--set", v)
	}
	return render(t, tool(t, "DRYDOCK_HELM"), args...)
}

// kustomized renders a folder of config and the catalog, for a namespace of choice.
func kustomized(t *testing.T, folder, namespace string) map[string]map[string]any {
	t.Helper()
	kubectl := tool(t, "DRYDOCK_KUBECTL")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../config")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "default", "namespace.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(content, []byte("name: drydock-system"), []byte("name: "+namespace), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	objects := render(t, kubectl, "kustomize", filepath.Join(dir, folder))
	for key, o := range render(t, kubectl, "kustomize", filepath.Join(dir, "catalog")) {
		objects[key] = o
	}
	delete(objects, "Namespace  "+namespace) // helm install --create-namespace
	return objects
}

func compare(t *testing.T, got, want map[string]map[string]any) {
	t.Helper()
	for key := range want {
		if got[key] == nil {
			t.Errorf("the chart does not render %s", key)
		} else if diff := cmp.Diff(want[key], got[key]); diff != "" {
			t.Errorf("%s differs (-kustomize +chart):\n%s", key, diff)
		}
	}
	for key := range got {
		if want[key] == nil {
			t.Errorf("only the chart renders %s", key)
		}
	}
}

func TestChartRendersWhatKustomizeRenders(t *testing.T) {
	compare(t, chart(t, "drydock-system"), kustomized(t, "default", "drydock-system"))
}

func TestChartRendersWhatKustomizeRendersForPetSets(t *testing.T) {
	compare(t, chart(t, "elsewhere", "workload=petset"), kustomized(t, "petset", "elsewhere"))
}

// TestOtherNamespace checks that nothing keeps the default namespace, not even inside an expression.
func TestOtherNamespace(t *testing.T) {
	want := kustomized(t, "default", "elsewhere")
	compare(t, chart(t, "elsewhere"), want)
	for key, o := range want {
		if text, err := (&unstructured.Unstructured{Object: o}).MarshalJSON(); err != nil || bytes.Contains(text, []byte("drydock-system")) {
			t.Errorf("%s still names drydock-system (%v)", key, err)
		}
	}
}

func TestValues(t *testing.T) {
	count := func(objects map[string]map[string]any, kind string) (n int) {
		for key := range objects {
			if strings.HasPrefix(key, kind+" ") {
				n++
			}
		}
		return n
	}
	if got := chart(t, "a", "crds.enabled=false"); count(got, "CustomResourceDefinition") != 0 {
		t.Error("crds.enabled=false renders definitions")
	}
	if got := chart(t, "a", "catalog.enabled=false"); count(got, "SinglestoreVersion")+count(got, "PerconaXtraDBVersion") != 0 {
		t.Error("catalog.enabled=false renders versions")
	}
	if got := chart(t, "a", "networkPolicy.enabled=true", "podMonitor.enabled=true"); count(got, "NetworkPolicy") != 1 || count(got, "PodMonitor") != 1 {
		t.Error("networkPolicy and podMonitor are not rendered when enabled")
	}
	for key, o := range chart(t, "a", "operatorUsername=ci-robot") {
		kinds := []string{"ValidatingAdmissionPolicy", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}
		kind, _, _ := strings.Cut(key, " ")
		text, err := (&unstructured.Unstructured{Object: o}).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(kinds, kind) && bytes.Contains(text, []byte("system:serviceaccount:a:drydock")) {
			t.Errorf("%s does not take operatorUsername", key)
		}
	}
}

// TestWrongValuesAreRefused by values.schema.json, by name.
func TestWrongValuesAreRefused(t *testing.T) {
	helm := tool(t, "DRYDOCK_HELM")
	for _, value := range []string{"replica=3", "replicas=two", "image.pullPolicy=Sometimes", "workload=deployment", "webhook.timeoutSeconds=0"} {
		out, err := exec.CommandContext(t.Context(), helm, "template", "drydock", "drydock", "--set", value).CombinedOutput()
		if name, _, _ := strings.Cut(value, "="); err == nil || !strings.Contains(string(out), name[strings.LastIndex(name, ".")+1:]) {
			t.Errorf("%s: want it refused by name, got %v: %s", value, err, out)
		}
	}
}
