package perconaxtradb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines/enginetest"
	"github.com/drydock-db/drydock/ops"
)

func TestSettingsGroup(t *testing.T) {
	groups := New().Settings(enginetest.Database(t, New(), "", `{}`)).Groups
	if len(groups) != 1 {
		t.Fatalf("%d groups", len(groups))
	}
	g := groups[0]
	got := []string{g.Name, g.Title, g.Workload, g.Path.String(), g.ConfigField, g.VolumeField}
	if diff := cmp.Diff([]string{"perconaxtradb", "", "db", "spec", "", "perconaxtradb"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLower(t *testing.T) {
	request := &opsv1.PerconaXtraDBOpsRequest{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "r"},
		Spec: opsv1.PerconaXtraDBOpsRequestSpec{
			OpsRequestSpec: opsv1.OpsRequestSpec{DatabaseRef: opsv1.DatabaseReference{Name: "db"}, Type: opsv1.ReconfigureTLS},
			Configuration:  &opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{"my.cnf": "x"}},
			TLS: &opsv1.PerconaXtraDBTLSSpec{
				TLSSpec:    opsv1.TLSSpec{TLSConfig: kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{{Alias: "client"}}}, Remove: true},
				RequireSSL: new(false),
			},
			VolumeExpansion: &opsv1.PerconaXtraDBVolumeExpansion{Mode: opsv1.ModeOnline, PerconaXtraDB: new(resource.MustParse("2Gi"))},
		},
	}
	want := ops.Request{
		Kind: "PerconaXtraDBOpsRequest", Namespace: "demo", Name: "r", Database: "db", Type: opsv1.ReconfigureTLS,
		Apply: opsv1.ApplyIfReady, MaxRetries: 1, Created: request.CreationTimestamp.Time,
		Configuration: map[string]opsv1.ReconfigurationSpec{"perconaxtradb": {ApplyConfig: map[string]string{"my.cnf": "x"}}},
		TLS: &ops.TLSChange{
			TLSConfig: kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{{Alias: "client"}}},
			Remove:    true, RequireSSL: new(false),
		},
		Volumes: map[string]resource.Quantity{"perconaxtradb": resource.MustParse("2Gi")},
		Mode:    opsv1.ModeOnline,
	}
	got := New().Lower(request)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	request.Spec.Configuration.ApplyConfig["my.cnf"] = "changed"
	if got.Configuration["perconaxtradb"].ApplyConfig["my.cnf"] != "x" {
		t.Error("the lowered request shares memory with the object, which a cache may own")
	}
}

func TestDialect(t *testing.T) {
	for _, c := range []struct {
		version *catalogv1.VersionSpec
		want    string
	}{
		{nil, "mysql"},
		{&catalogv1.VersionSpec{}, "mysql"},
		{&catalogv1.VersionSpec{Dialect: "mariadb"}, "mariadb"},
	} {
		if got := New().Dialect(c.version).Name; got != c.want {
			t.Errorf("dialect of %+v is %s, want %s", c.version, got, c.want)
		}
	}
}
