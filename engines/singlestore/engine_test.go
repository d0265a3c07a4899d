package singlestore

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines/enginetest"
	"github.com/drydock-db/drydock/ops"
)

func TestSettingsGroups(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		want       []string // name, title, workload, path
	}{
		{"standalone", `{}`, []string{"node", "Node", "db", "spec"}},
		{"cluster", `{topology: {aggregator: {suffix: a}, leaf: {}}}`, []string{
			"leaf", "Leaf", "db-leaf", "spec.topology.leaf",
			"aggregator", "Aggregator", "db-a-aggregator", "spec.topology.aggregator",
		}},
		{"nothing yet", `{topology: {}}`, nil},
		{"half", `{topology: {aggregator: {}}}`, []string{"aggregator", "Aggregator", "db-aggregator", "spec.topology.aggregator"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, g := range New().Settings(enginetest.Database(t, New(), "", c.spec)).Groups {
				got = append(got, g.Name, g.Title, g.Workload, g.Path.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The pointers of Settings lead into the object.
func TestSettingsWrite(t *testing.T) {
	db := enginetest.Database(t, New(), "", `{topology: {leaf: {}}}`)
	*New().Settings(db).Groups[0].Configuration = &kubedbv1.ConfigurationSpec{SecretName: "s"}
	if got := (*New().Settings(db).Groups[0].Configuration).SecretName; got != "s" {
		t.Errorf("secretName is %q after writing s", got)
	}
}

func TestLower(t *testing.T) {
	created := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	request := &opsv1.SinglestoreOpsRequest{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "r", UID: "u", CreationTimestamp: created, DeletionTimestamp: &created},
		Spec: opsv1.SinglestoreOpsRequestSpec{
			OpsRequestSpec: opsv1.OpsRequestSpec{
				DatabaseRef: opsv1.DatabaseReference{Name: "db"}, Type: opsv1.VolumeExpansion,
				Timeout: &metav1.Duration{Duration: time.Minute}, Apply: opsv1.ApplyAlways, MaxRetries: new(int32(0)),
			},
			Configuration:   &opsv1.SinglestoreReconfiguration{Leaf: &opsv1.ReconfigurationSpec{RemoveCustomConfig: true}},
			TLS:             &opsv1.TLSSpec{RotateCertificates: true},
			VolumeExpansion: &opsv1.SinglestoreVolumeExpansion{Mode: opsv1.ModeOffline, Aggregator: new(resource.MustParse("2Gi"))},
		},
	}
	want := ops.Request{
		Kind: "SinglestoreOpsRequest", Namespace: "demo", Name: "r", UID: "u", Database: "db", Type: opsv1.VolumeExpansion,
		Apply: opsv1.ApplyAlways, Timeout: time.Minute, Created: created.Time, Deleting: true,
		Configuration: map[string]opsv1.ReconfigurationSpec{"leaf": {RemoveCustomConfig: true}},
		TLS:           &ops.TLSChange{Rotate: true},
		Volumes:       map[string]resource.Quantity{"aggregator": resource.MustParse("2Gi")},
		Mode:          opsv1.ModeOffline,
	}
	if diff := cmp.Diff(want, New().Lower(request)); diff != "" {
		t.Error(diff)
	}
}

func TestLowerConditions(t *testing.T) {
	for _, c := range []struct {
		name              string
		conditions        []metav1.Condition
		started, finished bool
	}{
		{name: "new"},
		{name: "waiting", conditions: []metav1.Condition{{Type: "Successful", Status: "Unknown"}}},
		{name: "planned", conditions: []metav1.Condition{{Type: "PauseDatabase", Status: "Unknown"}, {Type: "Successful", Status: "False"}}},
		{name: "pausing", conditions: []metav1.Condition{{Type: "PauseDatabase", Status: "False"}}, started: true},
		{name: "paused", conditions: []metav1.Condition{{Type: "PauseDatabase", Status: "True"}, {Type: "Failed", Status: "False"}}, started: true},
		{name: "done", conditions: []metav1.Condition{{Type: "PauseDatabase", Status: "True"}, {Type: "Successful", Status: "True"}}, started: true, finished: true},
		{name: "refused", conditions: []metav1.Condition{{Type: "Failed", Status: "True"}}, finished: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := New().Lower(&opsv1.SinglestoreOpsRequest{Status: opsv1.OpsRequestStatus{Conditions: c.conditions}})
			if got.Started != c.started || got.Finished != c.finished {
				t.Errorf("started %t, finished %t", got.Started, got.Finished)
			}
			if got.MaxRetries != 1 || got.Apply != opsv1.ApplyIfReady {
				t.Errorf("defaults are %d retries and %s", got.MaxRetries, got.Apply)
			}
		})
	}
}
