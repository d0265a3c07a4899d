//go:build chart

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
		t.Fatalf("%s is not set; run `make chart`", variable)
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

// kustomized renders the catalog and a folder, of config or the overlay that docs/install.md shows, for a namespace of choice.
func kustomized(t *testing.T, folder, namespace string) map[string]map[string]any {
	t.Helper()
	kubectl := tool(t, "DRYDOCK_KUBECTL")
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	if err := os.CopyFS(config, os.DirFS("../config")); err != nil {
		t.Fatal(err)
	}
	documented(t, dir)
	file := filepath.Join(config, "default", "namespace.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(content, []byte("name: drydock-system"), []byte("name: "+namespace), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	objects := render(t, kubectl, "kustomize", filepath.Join(dir, folder))
	for key, o := range render(t, kubectl, "kustomize", filepath.Join(config, "catalog")) {
		objects[key] = o
	}
	delete(objects, "Namespace  "+namespace) // helm install --create-namespace
	return objects
}

// documented writes the overlay of docs/install.md to where the document has it, with a registry that exists in names.
func documented(t *testing.T, dir string) {
	t.Helper()
	content, err := os.ReadFile("../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	_, overlay, found := strings.Cut(string(content), "```\n# install/kustomization.yaml\n")
	overlay, _, closed := strings.Cut(overlay, "```\n")
	if !found || !closed {
		t.Fatal("docs/install.md shows no install/kustomization.yaml")
	}
	if err := os.Mkdir(filepath.Join(dir, "install"), 0o700); err != nil {
		t.Fatal(err)
	}
	overlay = strings.ReplaceAll(overlay, "<your registry>", registry)
	if err := os.WriteFile(filepath.Join(dir, "install", "kustomization.yaml"), []byte(overlay), 0o600); err != nil {
		t.Fatal(err)
	}
}

const registry = "registry.example"

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
	compare(t, chart(t, "drydock-system"), kustomized(t, "config/default", "drydock-system"))
}

func TestChartRendersWhatKustomizeRendersForPetSets(t *testing.T) {
	compare(t, chart(t, "elsewhere", "workload=petset"), kustomized(t, "config/petset", "elsewhere"))
}

// TestOtherNamespace checks that nothing keeps the default namespace, not even inside an expression.
func TestOtherNamespace(t *testing.T) {
	want := kustomized(t, "config/default", "elsewhere")
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

// TestNetworkPolicy: the documented overlay and the chart install the same, also in another namespace, and the chart's rules
// take the API server's addresses.
func TestNetworkPolicy(t *testing.T) {
	const key = "NetworkPolicy elsewhere drydock"
	want := kustomized(t, "install", "elsewhere")
	compare(t, chart(t, "elsewhere", "networkPolicy.enabled=true", "image.repository="+registry+"/drydock"), want)

	got := chart(t, "elsewhere", "networkPolicy.enabled=true", "networkPolicy.apiServer.from={10.0.0.10/32}",
		"networkPolicy.apiServer.to={10.0.0.10/32,10.96.0.1/32}", "networkPolicy.apiServer.ports={8443}")
	if got[key] == nil || want[key] == nil {
		t.Fatal("there is no network policy")
	}
	for _, of := range []struct {
		rules, peers string
		rule         int
		addresses    []any
	}{
		{"ingress", "from", 0, []any{ipBlock("10.0.0.10/32")}},
		{"egress", "to", 1, []any{ipBlock("10.0.0.10/32"), ipBlock("10.96.0.1/32")}},
	} {
		rules, _, err := unstructured.NestedSlice(want[key], "spec", of.rules)
		if err != nil {
			t.Fatal(err)
		}
		rules[of.rule].(map[string]any)[of.peers] = of.addresses
		if of.peers == "to" {
			rules[of.rule].(map[string]any)["ports"] = []any{map[string]any{"port": float64(8443), "protocol": "TCP"}}
		}
		if err := unstructured.SetNestedSlice(want[key], rules, "spec", of.rules); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want[key], got[key]); diff != "" {
		t.Errorf("the network policy does not take the API server's addresses (-want +got):\n%s", diff)
	}
}

func ipBlock(cidr string) any { return map[string]any{"ipBlock": map[string]any{"cidr": cidr}} }

// TestServiceMonitor checks what makes a scrape succeed: which pods, which port, whose token, whose certificate.
func TestServiceMonitor(t *testing.T) {
	for key := range chart(t, "a") {
		if strings.Contains(key, "Monitor") || key == "Service a drydock-metrics" {
			t.Errorf("%s is rendered although nobody asked for it", key)
		}
	}
	got := chart(t, "a", "serviceMonitor.enabled=true", "serviceMonitor.labels.release=prometheus")
	service, monitor, deployment := got["Service a drydock-metrics"], got["ServiceMonitor a drydock"], got["Deployment a drydock"]
	if service == nil || monitor == nil {
		t.Fatal("there is no Service or no ServiceMonitor")
	}
	marks := map[string]any{"app.kubernetes.io/name": "drydock", "app.kubernetes.io/component": "metrics"}
	same(t, "the Service's labels", service, marks, "metadata", "labels")
	same(t, "the Service", service, map[string]any{
		"selector": field(t, deployment, "spec", "selector", "matchLabels"),
		"ports":    []any{map[string]any{"name": "metrics", "port": float64(8443), "targetPort": "metrics", "protocol": "TCP"}},
	}, "spec")
	same(t, "the ServiceMonitor's labels", monitor, map[string]any{"release": "prometheus"}, "metadata", "labels")
	endpoint := map[string]any{
		"port": "metrics", "scheme": "https", "bearerTokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token",
		"tlsConfig": map[string]any{"insecureSkipVerify": true},
	}
	spec := map[string]any{"selector": map[string]any{"matchLabels": marks}, "endpoints": []any{endpoint}}
	same(t, "the ServiceMonitor", monitor, spec, "spec")

	endpoint["tlsConfig"] = map[string]any{"ca": map[string]any{"configMap": map[string]any{"name": "my-ca", "key": "ca.crt"}}}
	same(t, "the ServiceMonitor with an authority", chart(t, "a", "serviceMonitor.enabled=true",
		"serviceMonitor.tlsConfig.ca.configMap.name=my-ca", "serviceMonitor.tlsConfig.ca.configMap.key=ca.crt")["ServiceMonitor a drydock"], spec, "spec")
}

func field(t *testing.T, o map[string]any, path ...string) any {
	t.Helper()
	value, _, err := unstructured.NestedFieldNoCopy(o, path...)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func same(t *testing.T, what string, o map[string]any, want any, path ...string) {
	t.Helper()
	if diff := cmp.Diff(want, field(t, o, path...)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestWrongValuesAreRefused by values.schema.json, by name.
func TestWrongValuesAreRefused(t *testing.T) {
	helm := tool(t, "DRYDOCK_HELM")
	for _, value := range []string{"replica=3", "replicas=two", "image.pullPolicy=Sometimes", "workload=deployment", "webhook.timeoutSeconds=0",
		"networkPolicy.apiServer.to={10.0.0.10}", "networkPolicy.apiServer.ports={https}", "serviceMonitor.enable=true"} {
		out, err := exec.CommandContext(t.Context(), helm, "template", "drydock", "drydock", "--set", value).CombinedOutput()
		if name, _, _ := strings.Cut(value, "="); err == nil || !strings.Contains(string(out), name[strings.LastIndex(name, ".")+1:]) {
			t.Errorf("%s: want it refused by name, got %v: %s", value, err, out)
		}
	}
}
