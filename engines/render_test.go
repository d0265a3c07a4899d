package engines_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/enginetest"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/engines/singlestore"
)

// inputs has a user's Secret "good" and one for each way in which it can be bad.
func inputs() engines.Inputs {
	return engines.Inputs{
		Version: catalogv1.VersionSpec{DB: catalogv1.Image{Image: "db"}},
		UserConfig: map[string]map[string][]byte{
			"good":  {"a.cnf": []byte("max_connections = 1"), "blank.cnf": []byte(" \n"), "notes.txt": []byte("!")},
			"early": {"00-a.cnf": []byte("[mysqld]")},
			"late":  {"zzz.cnf": []byte("[mysqld]")},
			"owned": {"a.cnf": []byte("datadir = /tmp\nport = 1"), "b.cnf": []byte("!include /etc/passwd")},
		},
	}
}

func TestRenderConfiguration(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		files      map[string]string // besides the operator's
		err        string
	}{
		{name: "none", spec: `{}`},
		{name: "a Secret", spec: `{configuration: {secretName: good}}`, files: map[string]string{"a.cnf": "[mysqld]\nmax_connections = 1\n"}},
		{name: "both layers", spec: `{configuration: {secretName: good, inline: {a.cnf: "[mysqld]\nmax_connections = 2"}}}`, files: map[string]string{
			"a.cnf": "[mysqld]\nmax_connections = 1\n", "zz-inline-a.cnf": "[mysqld]\nmax_connections = 2\n",
		}},
		{name: "no such Secret", spec: `{configuration: {secretName: gone}}`,
			err: `spec.configuration.secretName names the Secret "gone", which does not exist`},
		{name: "before the defaults", spec: `{configuration: {secretName: early}}`,
			err: `spec.configuration: file "00-a.cnf" would be read before the operator's defaults (00-drydock.cnf): use a name that sorts after it`},
		{name: "after inline", spec: `{configuration: {secretName: late}}`,
			err: `spec.configuration: file "zzz.cnf" would be read after the inline settings (zz-inline-*): use a name that sorts before them`},
		{name: "the operator's own", spec: `{configuration: {secretName: owned}}`,
			err: `spec.configuration: a.cnf, line 1, section [mysqld]: the operator sets "datadir" itself; remove the line; ` +
				`a.cnf, line 2, section [mysqld]: the operator sets "port" itself; remove the line; ` +
				`b.cnf, line 1: directives such as "!include" are not allowed; write the settings themselves into the file`},
		{name: "inline that is not read", spec: `{configuration: {inline: {tuning: x}}}`,
			err: `spec.configuration: file "tuning" would not be read: its name has to end in .cnf`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := perconaxtradb.New()
			objects, err := e.Render(enginetest.Database(t, e, "", c.spec), inputs())
			if err != nil || c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("error %v, want %s", err, c.err)
				}
				return
			}
			got := map[string]string{}
			for name, content := range objects.Groups[0].Config.Data {
				got[name] = string(content)
			}
			if got[engines.DefaultsFile] == "" {
				t.Error("the operator's own file is missing")
			}
			delete(got, engines.DefaultsFile)
			if len(got)+len(c.files) > 0 && !cmp.Equal(c.files, got) {
				t.Error(cmp.Diff(c.files, got))
			}
		})
	}
}

func TestRenderErrors(t *testing.T) {
	e := perconaxtradb.New()
	_, err := e.Render(enginetest.Database(t, e, "", `{configuration: {secretName: gone}}`), inputs())
	if missing := (*engines.MissingSecretError)(nil); !errors.As(err, &missing) || missing.Name != "gone" {
		t.Errorf("%v does not tell which Secret is missing", err)
	}
	_, err = e.Render(enginetest.Database(t, e, "", `{podTemplate: {spec: {nodeSelector: {$patch: delete}}}}`), inputs())
	if want := "spec.podTemplate.spec: the key $patch begins with $, which no key here may"; err == nil || err.Error() != want {
		t.Errorf("a directive gives %v", err)
	}
}

// A version without an exporter leaves the sidecar out; the Service stays, for a database that serves metrics itself.
func TestRenderWithoutExporter(t *testing.T) {
	e := singlestore.New()
	objects, err := e.Render(enginetest.Database(t, e, "", `{monitor: {agent: prometheus.io}}`), inputs())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range objects.Groups[0].StatefulSet.Spec.Template.Spec.Containers {
		names = append(names, c.Name)
	}
	for _, s := range objects.Services {
		names = append(names, s.Name)
	}
	if diff := cmp.Diff([]string{"singlestore", "db-pods", "db", "db-stats"}, names); diff != "" {
		t.Error(diff)
	}
}

// Another configuration is another Secret and another pod template; the same one is the same Secret again.
func TestRenderConfigurationName(t *testing.T) {
	e := singlestore.New()
	names := map[string]string{}
	for _, spec := range []string{`{}`, `{configuration: {inline: {a.cnf: a}}}`, `{configuration: {inline: {a.cnf: b}}}`, `{configuration: {}}`} {
		objects, err := e.Render(enginetest.Database(t, e, "", spec), inputs())
		if err != nil {
			t.Fatal(err)
		}
		g := objects.Groups[0]
		mounted := ""
		for _, v := range g.StatefulSet.Spec.Template.Spec.Volumes {
			if v.Name == engines.VolumeConfig {
				mounted = v.Secret.SecretName
			}
		}
		if mounted != g.Config.Name {
			t.Errorf("%s: the pods mount %s, not %s", spec, mounted, g.Config.Name)
		}
		names[g.Config.Name] += spec
	}
	if len(names) != 3 {
		t.Errorf("three configurations have these names: %v", names)
	}
}

// What no API server would accept must not come out of merging what a user may well write.
func TestMergePodTemplate(t *testing.T) {
	for _, c := range []struct{ name, template, container, want string }{
		{"a variable of another kind", `{containers: [{name: perconaxtradb, env: [{name: CLUSTER_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]}]}`,
			"perconaxtradb", `env: [{name: CLUSTER_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]`},
		{"half of a pair of resources", `{resources: {limits: {memory: 100Mi}}}`,
			"perconaxtradb", `resources: {limits: {memory: 100Mi}, requests: {cpu: 500m}}`},
		{"a probe that only tunes", `{readinessProbe: {timeoutSeconds: 9}}`,
			"perconaxtradb", `readinessProbe: {timeoutSeconds: 9, periodSeconds: 5, failureThreshold: 3, exec: {}}`},
		{"another probe", `{readinessProbe: {tcpSocket: {port: 1}}, containers: [{name: perconaxtradb, readinessProbe: {httpGet: {port: 2}}}]}`,
			"perconaxtradb", `readinessProbe: {timeoutSeconds: 5, periodSeconds: 5, failureThreshold: 3, httpGet: {port: 2}}`},
		{"the pod decides who runs", `{securityContext: {runAsUser: 7, runAsGroup: 7, runAsNonRoot: false, seccompProfile: {type: Unconfined}}}`,
			"perconaxtradb", `securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}`},
		{"a container that is not there", `{containers: [{name: exporter, args: [a]}]}`, "exporter", ``},
		{"a container of the user's", `{containers: [{name: mine, image: i, securityContext: {runAsNonRoot: false}}]}`, "mine",
			`securityContext: {runAsNonRoot: false}`},
		{"a container of the user's that says nothing of rights", `{containers: [{name: mine, image: i}]}`, "mine", `image: i`},
		{"another image", `{containers: [{name: perconaxtradb, image: mine}]}`, "perconaxtradb", `image: mine`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := perconaxtradb.New()
			objects, err := e.Render(enginetest.Database(t, e, "", `{podTemplate: {spec: `+c.template+`}}`), inputs())
			if err != nil {
				t.Fatal(err)
			}
			got := container(objects.Groups[0].StatefulSet.Spec.Template.Spec, c.container)
			var want map[string]any
			if err := yaml.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			for field, value := range want {
				if diff := cmp.Diff(value, trim(got[field], value)); diff != "" {
					t.Errorf("%s: %s", field, diff)
				}
			}
			if (len(got) == 0) != (len(want) == 0) {
				t.Errorf("container %s is %v", c.container, got)
			}
		})
	}
}

// An account of the user's is named for the rights that it has, which take its token.
func TestServiceAccountToken(t *testing.T) {
	for template, want := range map[string]*bool{
		`{}`:                         new(false),
		`{serviceAccountName: mine}`: nil,
		`{serviceAccountName: mine, automountServiceAccountToken: false}`: new(false),
		`{automountServiceAccountToken: true}`:                            new(true),
	} {
		e := perconaxtradb.New()
		objects, err := e.Render(enginetest.Database(t, e, "", `{podTemplate: {spec: `+template+`}}`), inputs())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, objects.Groups[0].StatefulSet.Spec.Template.Spec.AutomountServiceAccountToken); diff != "" {
			t.Errorf("%s: %s", template, diff)
		}
	}
}

// An account that no pods use, or that is the user's, is not made: its name may be taken.
func TestServiceAccount(t *testing.T) {
	for _, c := range []struct {
		leaf, aggregator string
		made             bool
	}{
		{"", "", true}, {"mine", "", true}, {"", "mine", true}, {"mine", "mine", false}, {"mine", "other", false},
		{"db", "", false}, {"", "db", false}, {"db", "mine", false},
	} {
		e := singlestore.New()
		db := enginetest.Database(t, e, "", `{topology: {leaf: {podTemplate: {spec: {serviceAccountName: "`+c.leaf+
			`"}}}, aggregator: {podTemplate: {spec: {serviceAccountName: "`+c.aggregator+`"}}}}}`)
		objects, err := e.Render(db, inputs())
		if err != nil {
			t.Fatal(err)
		}
		if made := objects.ServiceAccount != nil; made != c.made {
			t.Errorf("leaf %q, aggregator %q: an account is made: %v", c.leaf, c.aggregator, made)
		}
		outline, err := engines.Outline(e, db)
		if err != nil || outline.ServiceAccount == nil {
			t.Errorf("an account that was made before is not found to be removed: %v", err)
		}
	}
}

// trim leaves out what the case does not go into: other list entries, and the command of a probe.
func trim(got, want any) any {
	switch w := want.(type) {
	case []any:
		list, _ := got.([]any)
		first, ok := w[0].(map[string]any)
		for _, item := range list {
			if entry, isMap := item.(map[string]any); ok && isMap && entry["name"] == first["name"] {
				return []any{entry}
			}
		}
	case map[string]any:
		m, _ := got.(map[string]any)
		if _, ok := w["exec"]; ok && m["exec"] != nil {
			m["exec"] = map[string]any{}
		}
	}
	return got
}

func container(spec corev1.PodSpec, name string) map[string]any {
	for _, c := range spec.Containers {
		if c.Name != name {
			continue
		}
		raw, _ := yaml.Marshal(c)
		var tree map[string]any
		_ = yaml.Unmarshal(raw, &tree)
		return tree
	}
	return nil
}
