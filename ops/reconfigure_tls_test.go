package ops

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

func issuer(name string) *corev1.TypedLocalObjectReference {
	return &corev1.TypedLocalObjectReference{Kind: "Issuer", Name: name}
}

func TestChangedTLS(t *testing.T) {
	type config = kubedbv1.TLSConfig
	type certificate = kubedbv1.CertificateSpec
	yes := true
	old := &config{IssuerRef: issuer("ca"), Certificates: []certificate{
		{Alias: "server", SecretName: "mine", DNSNames: []string{"a"}, EmailAddresses: []string{"a@b.c"}, Duration: &metav1.Duration{Duration: time.Hour}},
	}}
	for _, c := range []struct {
		name   string
		old    *config
		change TLSChange
		want   *config
	}{
		{"added", nil, TLSChange{TLSConfig: config{IssuerRef: issuer("ca")}}, &config{IssuerRef: issuer("ca")}},
		{"added with a managed issuer", nil, TLSChange{}, &config{}},
		{"removed", old, TLSChange{Remove: true}, nil},
		{"rotated", old, TLSChange{Rotate: true}, old},
		{"rotated without TLS", nil, TLSChange{Rotate: true}, nil},
		{"requireSSL alone does not bring TLS", nil, TLSChange{RequireSSL: &yes}, nil},
		{"requireSSL alone changes no certificate", old, TLSChange{RequireSSL: &yes}, old},
		{"another issuer keeps the certificates", old, TLSChange{TLSConfig: config{IssuerRef: issuer("b")}}, &config{IssuerRef: issuer("b"), Certificates: old.Certificates}},
		{"a new alias", old, TLSChange{TLSConfig: config{Certificates: []certificate{{Alias: "client", URIs: []string{"u"}}}}},
			&config{IssuerRef: issuer("ca"), Certificates: []certificate{old.Certificates[0], {Alias: "client", URIs: []string{"u"}}}}},
		{"the fields that are given", old, TLSChange{TLSConfig: config{Certificates: []certificate{{
			Alias: "server", DNSNames: []string{"b", "c"}, Subject: &kubedbv1.X509Subject{SerialNumber: "1"}, RenewBefore: &metav1.Duration{Duration: time.Minute},
			PrivateKey: &kubedbv1.CertificatePrivateKey{Encoding: "PKCS8"}, IssuerRef: issuer("own"), IPAddresses: []string{"10.0.0.1"},
		}}}}, &config{IssuerRef: issuer("ca"), Certificates: []certificate{{
			Alias: "server", SecretName: "mine", DNSNames: []string{"b", "c"}, EmailAddresses: []string{"a@b.c"}, Duration: &metav1.Duration{Duration: time.Hour},
			Subject: &kubedbv1.X509Subject{SerialNumber: "1"}, RenewBefore: &metav1.Duration{Duration: time.Minute},
			PrivateKey: &kubedbv1.CertificatePrivateKey{Encoding: "PKCS8"}, IssuerRef: issuer("own"), IPAddresses: []string{"10.0.0.1"},
		}}}},
		{"an empty list clears", old, TLSChange{TLSConfig: config{Certificates: []certificate{{Alias: "server", DNSNames: []string{}, SecretName: "other"}}}},
			&config{IssuerRef: issuer("ca"), Certificates: []certificate{{
				Alias: "server", SecretName: "other", DNSNames: []string{}, EmailAddresses: []string{"a@b.c"}, Duration: &metav1.Duration{Duration: time.Hour},
			}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, asked := c.old.DeepCopy(), c.change.DeepCopy()
			got := ChangedTLS(c.old, c.change)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("ChangedTLS (-want +got):\n%s", diff)
			}
			if got != nil { // what comes out is nobody else's
				for i := range got.Certificates {
					got.Certificates[i].Alias = "changed"
					got.Certificates[i].DNSNames = append(got.Certificates[i].DNSNames[:0], "changed")
				}
				if got.IssuerRef != nil {
					got.IssuerRef.Name = "changed"
				}
			}
			if diff := cmp.Diff(before, c.old); diff != "" {
				t.Errorf("the old settings were changed:\n%s", diff)
			}
			if diff := cmp.Diff(asked, c.change.DeepCopy()); diff != "" {
				t.Errorf("the change was changed:\n%s", diff)
			}
		})
	}
}
