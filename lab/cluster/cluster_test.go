package cluster

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestProcessIsNeverMistaken(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	p, err := startProcess("sleep", sleep, []string{"60"}, filepath.Join(t.TempDir(), "logs", "sleep.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !p.alive() {
		t.Fatal("a process just started is not alive")
	}
	recycled := p
	recycled.Born = "another boot/1"
	if recycled.alive() {
		t.Error("a recycled pid is taken for the process")
	}
	if err := stopProcesses(5*time.Second, recycled); err != nil || !p.alive() {
		t.Errorf("a recycled pid was stopped (error %v)", err)
	}
	if err := stopProcesses(5*time.Second, p); err != nil || p.alive() {
		t.Errorf("the process was not stopped (error %v)", err)
	}
	if err := stopProcesses(time.Second, p); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestStateSurvives(t *testing.T) {
	open := func(dir string) (*Lab, func()) {
		t.Helper()
		lab, done, err := Open(t.Context(), dir, &bytes.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		return lab, done
	}
	dir := t.TempDir()
	lab, done := open(dir)
	ports, err := choosePorts()
	if err != nil {
		t.Fatal(err)
	}
	lab.state.Ports = ports
	lab.state.remember(Process{Name: etcd, PID: 1})
	lab.state.remember(Process{Name: apiServer, PID: 2})
	lab.state.remember(Process{Name: etcd, PID: 3})
	if err := lab.save(); err != nil {
		t.Fatal(err)
	}
	done()
	lab, done = open(dir)
	defer done()
	p, known := lab.state.process(etcd)
	if !known || p.PID != 3 || len(lab.state.Processes) != 2 || lab.state.Ports[portEtcd] != ports[portEtcd] {
		t.Errorf("state read back: %+v", lab.state)
	}
}

func TestPortsDiffer(t *testing.T) {
	ports, err := choosePorts()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]string{}
	for name, port := range ports {
		if other, twice := seen[port]; twice {
			t.Errorf("%s and %s have port %d", name, other, port)
		}
		seen[port] = name
	}
}

const manifests = `
apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: drydock}}
- {apiVersion: v1, kind: Namespace, metadata: {name: drydock-system}}
---
# nothing
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: drydock}
webhooks:
- name: a
  clientConfig: {caBundle: Zm9v, service: {name: drydock, namespace: drydock-system, path: /mutate}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things}
spec: {conversion: {webhook: {clientConfig: {service: {name: drydock, namespace: drydock-system, path: /convert}}}}}
`

func TestAdapt(t *testing.T) {
	lab := &Lab{state: State{Ports: map[string]int{portWebhook: 9443}}}
	objects, err := lab.adapt([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 3 || objects[0].GetKind() != "Namespace" {
		t.Fatalf("got %d objects, the first %s", len(objects), objects[0].GetKind())
	}
	webhook := objects[1].Object["webhooks"].([]any)[0].(map[string]any)["clientConfig"].(map[string]any)
	if webhook["url"] != "https://127.0.0.1:9443/mutate" || webhook["caBundle"] != "Zm9v" || webhook["service"] != nil {
		t.Errorf("webhook's client configuration: %v", webhook)
	}
	conversion := objects[2].Object["spec"].(map[string]any)["conversion"].(map[string]any)["webhook"].(map[string]any)["clientConfig"].(map[string]any)
	if conversion["url"] != "https://127.0.0.1:9443/convert" {
		t.Errorf("conversion's client configuration: %v", conversion)
	}
}
