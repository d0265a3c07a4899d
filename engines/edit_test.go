package engines

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// onlySettings is an engine that can do what Edit and Describe need: it has one group.
type onlySettings struct {
	Engine
	withoutTLS bool
}

func (onlySettings) Dialect(version *catalogv1.VersionSpec) mycnf.Dialect {
	if version != nil && version.Dialect == mycnf.SingleStore.Name {
		return mycnf.SingleStore
	}
	return mycnf.MySQL
}

func (e onlySettings) Settings(db Database) Settings {
	spec := &db.(*kubedbv1.PerconaXtraDB).Spec
	s := Settings{
		StorageType: &spec.StorageType, TLS: &spec.TLS, RequireSSL: &spec.RequireSSL,
		Groups: []GroupSettings{{
			Name: "perconaxtradb", Title: "", Workload: db.GetName(), Replicas: &spec.Replicas,
			ConfigSecret: &spec.ConfigSecret, Configuration: &spec.Configuration, Storage: &spec.Storage,
		}},
	}
	if e.withoutTLS {
		s.TLS, s.RequireSSL = nil, nil
	}
	return s
}

func (onlySettings) Aliases() []string { return []string{"server"} }

func stored(size string) *corev1.PersistentVolumeClaimSpec {
	return &corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}}}
}

func reconfiguration(c opsv1.ReconfigurationSpec) ops.Request {
	return ops.Request{Type: opsv1.Reconfigure, Configuration: map[string]opsv1.ReconfigurationSpec{"perconaxtradb": c}}
}

func expansion(size string) ops.Request {
	return ops.Request{Type: opsv1.VolumeExpansion, Volumes: map[string]resource.Quantity{"perconaxtradb": resource.MustParse(size)}}
}

func tls(c ops.TLSChange) ops.Request { return ops.Request{Type: opsv1.ReconfigureTLS, TLS: &c} }

func TestEdit(t *testing.T) {
	type spec = kubedbv1.PerconaXtraDBSpec
	yes, no := true, false
	issuer := func(name string) *corev1.TypedLocalObjectReference {
		return &corev1.TypedLocalObjectReference{Kind: "Issuer", Name: name}
	}
	issued := []kubedbv1.CertificateSpec{{Alias: "server", SecretName: "pxc-server-cert"}}
	by := func(name string) *kubedbv1.TLSConfig {
		return &kubedbv1.TLSConfig{IssuerRef: issuer(name), Certificates: issued}
	}
	for _, c := range []struct {
		name    string
		spec    spec
		request ops.Request
		want    spec
	}{
		{"a restart changes nothing", spec{Storage: stored("1Gi"), Configuration: &kubedbv1.ConfigurationSpec{SecretName: "a"}},
			ops.Request{Type: opsv1.Restart}, spec{Storage: stored("1Gi"), Configuration: &kubedbv1.ConfigurationSpec{SecretName: "a"}}},
		{"the first configuration", spec{}, reconfiguration(opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{"my.cnf": "a=1"}}),
			spec{Configuration: &kubedbv1.ConfigurationSpec{Inline: map[string]string{"my.cnf": "[mysqld]\na=1\n"}}}},
		{"another Secret", spec{Configuration: &kubedbv1.ConfigurationSpec{SecretName: "a"}},
			reconfiguration(opsv1.ReconfigurationSpec{ConfigSecret: &corev1.LocalObjectReference{Name: "b"}}),
			spec{Configuration: &kubedbv1.ConfigurationSpec{SecretName: "b"}}},
		{"removal", spec{Configuration: &kubedbv1.ConfigurationSpec{SecretName: "a"}}, reconfiguration(opsv1.ReconfigurationSpec{RemoveCustomConfig: true}), spec{}},
		{"removal takes the older field along", spec{ConfigSecret: &corev1.LocalObjectReference{Name: "a"}}, reconfiguration(opsv1.ReconfigurationSpec{RemoveCustomConfig: true}), spec{}},
		{"the older field moves", spec{ConfigSecret: &corev1.LocalObjectReference{Name: "a"}},
			reconfiguration(opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{"my.cnf": "a=1"}}),
			spec{Configuration: &kubedbv1.ConfigurationSpec{SecretName: "a", Inline: map[string]string{"my.cnf": "[mysqld]\na=1\n"}}}},
		{"the newer field wins", spec{ConfigSecret: &corev1.LocalObjectReference{Name: "a"}, Configuration: &kubedbv1.ConfigurationSpec{SecretName: "b"}},
			reconfiguration(opsv1.ReconfigurationSpec{}), spec{Configuration: &kubedbv1.ConfigurationSpec{SecretName: "b"}}},
		{"TLS is added", spec{}, tls(ops.TLSChange{TLSConfig: kubedbv1.TLSConfig{IssuerRef: issuer("ca")}, RequireSSL: &yes}),
			spec{TLS: by("ca"), RequireSSL: true}},
		{"a certificate has its own Secret", spec{}, tls(ops.TLSChange{TLSConfig: kubedbv1.TLSConfig{IssuerRef: issuer("ca"),
			Certificates: []kubedbv1.CertificateSpec{{Alias: "server", SecretName: "mine"}}}}),
			spec{TLS: &kubedbv1.TLSConfig{IssuerRef: issuer("ca"), Certificates: []kubedbv1.CertificateSpec{{Alias: "server", SecretName: "mine"}}}}},
		{"TLS is removed, and requireSSL with it", spec{TLS: &kubedbv1.TLSConfig{IssuerRef: issuer("ca")}, RequireSSL: true}, tls(ops.TLSChange{Remove: true}), spec{}},
		{"requireSSL alone", spec{TLS: &kubedbv1.TLSConfig{IssuerRef: issuer("ca")}, RequireSSL: true}, tls(ops.TLSChange{RequireSSL: &no}),
			spec{TLS: by("ca")}},
		{"requireSSL is not mentioned", spec{TLS: &kubedbv1.TLSConfig{}, RequireSSL: true}, tls(ops.TLSChange{TLSConfig: kubedbv1.TLSConfig{IssuerRef: issuer("b")}}),
			spec{TLS: by("b"), RequireSSL: true}},
		{"no TLS section", spec{RequireSSL: true}, ops.Request{Type: opsv1.ReconfigureTLS}, spec{RequireSSL: true}},
		{"volumes grow", spec{Storage: stored("1Gi")}, expansion("2Gi"), spec{Storage: stored("2Gi")}},
		{"volumes do not shrink", spec{Storage: stored("3Gi")}, expansion("2Gi"), spec{Storage: stored("3Gi")}},
		{"volumes without a size", spec{Storage: &corev1.PersistentVolumeClaimSpec{}}, expansion("2Gi"), spec{Storage: stored("2Gi")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := &kubedbv1.PerconaXtraDB{Spec: c.spec}
			db.Name = "pxc"
			for _, pass := range []string{"once", "twice"} {
				if err := Edit(onlySettings{}, db, c.request, nil); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, db.Spec); diff != "" {
					t.Errorf("%s (-want +got):\n%s", pass, diff)
				}
			}
		})
	}
}

func TestEditTakesTheDialectOfTheVersion(t *testing.T) {
	db := &kubedbv1.PerconaXtraDB{}
	request := reconfiguration(opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{"f": "a=1"}})
	if err := Edit(onlySettings{}, db, request, &catalogv1.VersionSpec{Dialect: "singlestore"}); err != nil {
		t.Fatal(err)
	}
	if got := db.Spec.Configuration.Inline["f"]; got != "[server]\na=1\n" {
		t.Errorf("inline is %q", got)
	}
}

func TestEditOfAKindWithoutTLS(t *testing.T) {
	db := &kubedbv1.PerconaXtraDB{Spec: kubedbv1.PerconaXtraDBSpec{RequireSSL: true}}
	if err := Edit(onlySettings{withoutTLS: true}, db, tls(ops.TLSChange{Remove: true}), nil); err != nil {
		t.Fatal(err)
	}
	if !db.Spec.RequireSSL {
		t.Error("a field that the kind does not have was changed")
	}
}

func TestEditRefuses(t *testing.T) {
	elsewhere := expansion("2Gi")
	elsewhere.Volumes["leaf"] = elsewhere.Volumes["perconaxtradb"]
	for _, c := range []struct {
		name    string
		request ops.Request
		want    string
	}{
		{"an unknown group", ops.Request{Type: opsv1.Reconfigure, Configuration: map[string]opsv1.ReconfigurationSpec{"leaf": {}}}, `the database has no group "leaf"`},
		{"an unknown group with volumes", elsewhere, `the database has no group "leaf"`},
		{"no volumes", expansion("2Gi"), `group "perconaxtradb" keeps no volumes`},
		{"a file that cannot be read", reconfiguration(opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{"f": "[x"}}),
			`group "perconaxtradb": applyConfig[f]: new settings: line 1: the section header is not closed; write it as "[name]"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Edit(onlySettings{}, &kubedbv1.PerconaXtraDB{}, c.request, nil)
			if err == nil || err.Error() != c.want {
				t.Errorf("Edit = %v, want %q", err, c.want)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	three := int32(3)
	size := resource.MustParse("1Gi")
	group := func(replicas int32, storage *resource.Quantity) ops.Topology {
		return ops.Topology{Database: "pxc", Groups: []ops.Group{{Name: "perconaxtradb", Workload: "pxc", Replicas: replicas, Storage: storage}}}
	}
	for _, c := range []struct {
		name string
		spec kubedbv1.PerconaXtraDBSpec
		want ops.Topology
	}{
		{"durable", kubedbv1.PerconaXtraDBSpec{Replicas: &three, StorageType: kubedbv1.StorageDurable, Storage: stored("1Gi")}, group(3, &size)},
		{"ephemeral", kubedbv1.PerconaXtraDBSpec{Replicas: &three, StorageType: kubedbv1.StorageEphemeral, Storage: stored("1Gi")}, group(3, nil)},
		{"half filled", kubedbv1.PerconaXtraDBSpec{}, group(1, nil)},
		{"storage without a size", kubedbv1.PerconaXtraDBSpec{Storage: &corev1.PersistentVolumeClaimSpec{}}, group(1, nil)},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := &kubedbv1.PerconaXtraDB{Spec: c.spec}
			db.Name = "pxc"
			if diff := cmp.Diff(c.want, Describe(onlySettings{}, db)); diff != "" {
				t.Errorf("Describe (-want +got):\n%s", diff)
			}
		})
	}
}
