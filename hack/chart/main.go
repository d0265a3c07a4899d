// Command chart writes the templates of the Helm chart that repeat what config/ has: definitions, rights, webhooks,
// policies, catalog. One source, two ways to install; only the Deployment is written twice, and a test compares it.
//
//	chart -config DIR -out DIR
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// header says where a template comes from. Helm leaves the comment out of what it renders.
const header = "{{- /* Generated from config by `make manifests`. Do not edit. */ -}}\n"

// template is one file of the chart and what it is made from.
type template struct {
	name    string
	sources []string // patterns below config/
	guard   string   // a condition of the whole file
	edit    func(string) string
}

func templates(petSets func(string) string) []template {
	return []template{
		{name: "crds.yaml", sources: []string{"crd/*_*.yaml"}, guard: ".Values.crds.enabled", edit: keepable},
		{name: "rbac.yaml", sources: []string{"rbac/service_account.yaml", "rbac/operator_*.yaml", "rbac/user_roles.yaml"}, edit: petSets},
		{name: "webhooks.yaml", sources: []string{"webhook/service.yaml", "webhook/*ing.yaml"}, edit: timeout},
		{name: "policies.yaml", sources: []string{"policy/[dpr]*.yaml"}},
		{name: "disruption_budget.yaml", sources: []string{"manager/disruption_budget.yaml"}},
		{name: "network_policy.yaml", sources: []string{"network-policy/network_policy.yaml"}, guard: ".Values.networkPolicy.enabled", edit: apiServer},
		{
			name: "catalog.yaml", sources: []string{"catalog/[ps]*.yaml"},
			guard: `and .Values.catalog.enabled (.Capabilities.APIVersions.Has "catalog.kubedb.com/v1alpha1")`,
		},
	}
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("chart: ")
	config := flag.String("config", "config", "folder of the kustomize bases")
	out := flag.String("out", "charts/drydock/templates", "folder to write to")
	flag.Parse()
	petSets, err := withPetSets(*config)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range templates(petSets) {
		content, err := t.render(*config)
		if err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*out, t.name), content, 0o644); err != nil { //nolint:gosec // a file of the repository, for everyone to read
			log.Fatal(err)
		}
	}
}

func (t template) render(config string) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(header)
	if t.guard != "" {
		out.WriteString("{{- if " + t.guard + " }}\n")
	}
	for _, pattern := range t.sources {
		files, err := filepath.Glob(filepath.Join(config, pattern))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("%s: nothing matches %s", t.name, pattern)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("reading a manifest: %w", err)
			}
			for _, document := range strings.Split(string(content), "\n---\n") {
				made, err := parametrize(strings.TrimPrefix(document, "---\n"))
				if err != nil {
					return nil, fmt.Errorf("%s: %w", file, err)
				}
				if t.edit != nil {
					made = t.edit(made)
				}
				out.WriteString("---\n" + made)
			}
		}
	}
	if t.guard != "" {
		out.WriteString("{{- end }}\n")
	}
	return out.Bytes(), nil
}

var (
	comments = regexp.MustCompile(`(?m)^#.*\n`)
	metadata = regexp.MustCompile(`(?m)^metadata:\n`)
	labels   = regexp.MustCompile(`(?m)^  labels:\n`)
)

// include is the call that renders the labels of everything.
const include = "    {{- include \"drydock.labels\" . | nindent 4 }}\n"

// parametrize puts the release's namespace, the operator's name and the chart's labels into one document.
func parametrize(document string) (string, error) {
	if strings.Contains(document, "{{") {
		return "", fmt.Errorf("contains {{, which means something in a template")
	}
	document = strings.TrimRight(comments.ReplaceAllString(document, ""), "\n") + "\n"
	document = strings.ReplaceAll(document, "system:serviceaccount:drydock-system:drydock", `{{ include "drydock.username" . }}`)
	document = strings.ReplaceAll(document, "namespace: drydock-system", "namespace: {{ .Release.Namespace | quote }}")
	if strings.Contains(document, "drydock-system") {
		return "", fmt.Errorf("names the namespace drydock-system where it is not replaced")
	}
	if labels.MatchString(document) {
		return labels.ReplaceAllLiteralString(document, "  labels:\n"+include), nil
	}
	if !metadata.MatchString(document) {
		return "", fmt.Errorf("has no block of metadata")
	}
	return metadata.ReplaceAllLiteralString(document, "metadata:\n  labels:\n"+include), nil
}

// keepable lets the definitions, and so every database, outlive the release.
func keepable(document string) string {
	const annotations = "  annotations:\n"
	return strings.Replace(document, annotations,
		annotations+"    {{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n", 1)
}

// withPetSets reads the rights that config/petset adds to the operator's, and makes them a matter of a value.
func withPetSets(config string) (func(document string) string, error) {
	content, err := os.ReadFile(filepath.Join(config, "petset", "rights.yaml"))
	if err != nil {
		return nil, fmt.Errorf("reading the rights for PetSets: %w", err)
	}
	var patch []struct {
		Value rbacv1.PolicyRule `json:"value"`
	}
	if err := yaml.Unmarshal(content, &patch); err != nil {
		return nil, fmt.Errorf("reading the rights for PetSets: %w", err)
	}
	var rules strings.Builder
	for _, p := range patch {
		fmt.Fprintf(&rules, "  - apiGroups: [%s]\n    resources: [%s]\n    verbs: [%s]\n",
			strings.Join(p.Value.APIGroups, ", "), strings.Join(p.Value.Resources, ", "), strings.Join(p.Value.Verbs, ", "))
	}
	return func(document string) string {
		if !strings.Contains(document, "kind: ClusterRole\n") || !strings.Contains(document, "\n  name: drydock\n") {
			return document
		}
		return document + "  {{- if eq .Values.workload \"petset\" }}\n" + rules.String() + "  {{- end }}\n"
	}, nil
}

// timeout makes the webhooks' timeout a value.
func timeout(document string) string {
	return strings.ReplaceAll(document, "timeoutSeconds: 5", "timeoutSeconds: {{ .Values.webhook.timeoutSeconds }}")
}

// apiServer limits the network policy to the API server's addresses where the values name them, and takes its ports from there.
func apiServer(document string) string {
	peers := func(field string) string {
		return "      {{- with .Values.networkPolicy.apiServer." + field + " }}\n      " + field + ":\n" +
			"        {{- range . }}\n        - ipBlock: {cidr: {{ . | quote }}}\n        {{- end }}\n      {{- end }}\n"
	}
	for port, field := range map[string]string{"webhook": "from", "6443": "to"} {
		line := "        - {port: " + port + ", protocol: TCP}\n"
		document = strings.Replace(document, line, line+peers(field), 1)
	}
	const ports = "        - {port: 443, protocol: TCP}\n        - {port: 6443, protocol: TCP}\n"
	return strings.Replace(document, ports, "        {{- range .Values.networkPolicy.apiServer.ports }}\n"+
		"        - {port: {{ . }}, protocol: TCP}\n        {{- end }}\n", 1)
}
