package certs

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

func labels(kind, db string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name": kind, "app.kubernetes.io/instance": db,
		"app.kubernetes.io/managed-by": "kubedb.com", "app.kubernetes.io/component": "database",
	}
}

func singlestore() Facts {
	return Facts{
		Name: "sdb", Namespace: "demo", Headless: "sdb-pods", CommonName: "sdb",
		Labels: labels("singlestores.kubedb.com", "sdb"), Aliases: []string{"server", "client"},
	}
}

func percona() Facts {
	return Facts{
		Name: "pxc", Namespace: "demo", Headless: "pxc-pods", CommonName: "pxc.demo.svc",
		Labels: labels("perconaxtradbs.kubedb.com", "pxc"), Aliases: []string{"server", "client", "metrics-exporter"},
	}
}

func issuerRef(kind, name string) *corev1.TypedLocalObjectReference {
	return &corev1.TypedLocalObjectReference{APIGroup: new("cert-manager.io"), Kind: kind, Name: name}
}

func hours(n int) *metav1.Duration { return &metav1.Duration{Duration: time.Duration(n) * time.Hour} }

// full uses every field that a user can give.
func full() *kubedbv1.TLSConfig {
	return &kubedbv1.TLSConfig{
		IssuerRef: issuerRef("Issuer", "ca"),
		Certificates: []kubedbv1.CertificateSpec{
			{Alias: "unknown", SecretName: "not-made"},
			{
				Alias: "client", SecretName: "app-credentials", IssuerRef: issuerRef("ClusterIssuer", "clients"),
				Subject: &kubedbv1.X509Subject{
					Organizations: []string{"acme"}, Countries: []string{"NL"}, OrganizationalUnits: []string{"dba"},
					Localities: []string{"Delft"}, Provinces: []string{"ZH"}, StreetAddresses: []string{"Oude Delft 1"},
					PostalCodes: []string{"2611"}, SerialNumber: "7",
				},
				Duration: hours(720), RenewBefore: hours(240),
				DNSNames: []string{"localhost", "db.example.org"}, IPAddresses: []string{"10.0.0.7", "127.0.0.1"},
				URIs: []string{"spiffe://example.org/db"}, EmailAddresses: []string{"dba@example.org"},
				PrivateKey: &kubedbv1.CertificatePrivateKey{Encoding: "PKCS8"},
			},
		},
	}
}

func TestBuildGolden(t *testing.T) {
	for name, c := range map[string]struct {
		facts Facts
		tls   *kubedbv1.TLSConfig
	}{
		"singlestore-issuer":  {singlestore(), &kubedbv1.TLSConfig{IssuerRef: issuerRef("Issuer", "ca")}},
		"singlestore-managed": {singlestore(), &kubedbv1.TLSConfig{}},
		"singlestore-full":    {singlestore(), full()},
		"percona-issuer":      {percona(), &kubedbv1.TLSConfig{IssuerRef: issuerRef("ClusterIssuer", "ca")}},
		"percona-managed":     {percona(), &kubedbv1.TLSConfig{}},
		"percona-full":        {percona(), full()},
	} {
		t.Run(name, func(t *testing.T) {
			o := Build(c.facts, c.tls)
			var text bytes.Buffer
			write := func(object any) {
				raw, err := yaml.Marshal(object)
				if err != nil {
					t.Fatal(err)
				}
				text.WriteString("---\n")
				text.Write(raw)
			}
			for _, issuer := range o.Issuers {
				write(issuer)
			}
			for _, certificate := range o.All() {
				write(certificate)
			}
			golden(t, name, text.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./certs -update", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is built:\n%s", path, got)
	}
}

func TestBuild(t *testing.T) {
	if o := Build(singlestore(), nil); len(o.All()) != 0 || len(o.Issuers) != 0 {
		t.Errorf("without TLS there is %v", o)
	}
	each := &kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{
		{Alias: "server", IssuerRef: issuerRef("Issuer", "a")}, {Alias: "client", IssuerRef: issuerRef("Issuer", "b")},
	}}
	if o := Build(singlestore(), each); o.Authority != nil || len(o.Issuers) != 0 {
		t.Error("an issuer is managed although every certificate names its own")
	}
	each.Certificates = each.Certificates[:1]
	o := Build(singlestore(), each)
	if o.Authority == nil || len(o.Issuers) != 2 || o.Leaves[1].Certificate.Spec.IssuerRef.Name != "sdb-ca" {
		t.Errorf("the certificate without an issuer is not signed by a managed one: %+v", o)
	}
	spec := full()
	before := spec.DeepCopy()
	Build(percona(), spec).Leaves[1].Certificate.Spec.Subject.Organizations[0] = "changed"
	if spec.Certificates[1].Subject.Organizations[0] != before.Certificates[1].Subject.Organizations[0] {
		t.Error("the settings are shared with the objects")
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 60)
	if got := CommonName("pxc."+long+".svc", "pxc"); got != "pxc" {
		t.Errorf("a common name of more than 64 bytes: %q", got)
	}
	if got := CommonName("pxc.demo.svc", "pxc"); got != "pxc.demo.svc" {
		t.Errorf("a short common name: %q", got)
	}
	a, b := Copy{"a": []byte("1"), "b": []byte("2")}, Copy{"b": []byte("2"), "a": []byte("1")}
	if CopyName("db", a) != CopyName("db", b) || !IsCopy("db", CopyName("db", a)) || !IsCopy("db", PendingCopy("db")) {
		t.Error("names of copies do not hold together")
	}
	if CopyName("db", Copy{"a": []byte("12")}) == CopyName("db", Copy{"a1": []byte("2")}) {
		t.Error("two contents have one name")
	}
	if IsCopy("db", "db-config-x") || IsCopy("db", "db-tls-bundle") || IsCopy("db", "db-tls-0123") || IsCopy("other", CopyName("db", a)) {
		t.Error("another Secret is taken for a copy")
	}
}

func TestMadeFor(t *testing.T) {
	controller := func(version, kind, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: name, Controller: new(true)}}}
	}
	annotated := func(m metav1.ObjectMeta, name string) metav1.ObjectMeta {
		m.Annotations = map[string]string{"cert-manager.io/certificate-name": name}
		return m
	}
	for _, c := range []struct {
		name string
		meta metav1.ObjectMeta
		want bool
	}{
		{"of nobody", metav1.ObjectMeta{}, false},
		{"annotated", annotated(metav1.ObjectMeta{}, "c"), true},
		{"annotated for another", annotated(metav1.ObjectMeta{}, "d"), false},
		{"owned by the Certificate", controller("cert-manager.io/v1", "Certificate", "c"), true},
		{"owned by another Certificate", annotated(controller("cert-manager.io/v1", "Certificate", "d"), "c"), false},
		{"owned by somebody else", annotated(controller("apps/v1", "Deployment", "c"), "c"), false},
		{"owned by another Certificate kind", controller("example.org/v1", "Certificate", "c"), false},
	} {
		if got := MadeFor(&corev1.Secret{ObjectMeta: c.meta}, "c"); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
