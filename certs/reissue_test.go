package certs

import (
	"testing"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
)

// What cert-manager notices, what it does not notice, and what shows in no certificate.
func TestNeedsTrigger(t *testing.T) {
	base := Build(percona(), full()).Leaves[1].Certificate.Spec
	for _, c := range []struct {
		name             string
		change           func(*cmv1.CertificateSpec)
		byItself, wanted bool
	}{
		{"nothing", func(*cmv1.CertificateSpec) {}, false, false},
		{"common name", func(s *cmv1.CertificateSpec) { s.CommonName = "other" }, true, false},
		{"another name", func(s *cmv1.CertificateSpec) { s.DNSNames = append(s.DNSNames[:0:0], "x") }, true, false},
		{"names in another order", func(s *cmv1.CertificateSpec) { s.DNSNames = backwards(s.DNSNames) }, false, false},
		{"addresses", func(s *cmv1.CertificateSpec) { s.IPAddresses = nil }, true, false},
		{"uris", func(s *cmv1.CertificateSpec) { s.URIs = nil }, true, false},
		{"mail", func(s *cmv1.CertificateSpec) { s.EmailAddresses = nil }, true, false},
		{"issuer", func(s *cmv1.CertificateSpec) { s.IssuerRef = cmmeta.IssuerReference{Name: "x"} }, true, false},
		{"secret", func(s *cmv1.CertificateSpec) { s.SecretName = "x" }, true, false},
		{"usages", func(s *cmv1.CertificateSpec) { s.Usages = s.Usages[:1] }, true, false},
		{"subject", func(s *cmv1.CertificateSpec) { s.Subject = nil }, true, false},
		{"serial number", func(s *cmv1.CertificateSpec) { s.Subject = s.Subject.DeepCopy(); s.Subject.SerialNumber = "8" }, true, false},
		{"organizations", func(s *cmv1.CertificateSpec) { s.Subject = s.Subject.DeepCopy(); s.Subject.Organizations = nil }, true, false},
		{"another duration", func(s *cmv1.CertificateSpec) { s.Duration = hours(1000) }, true, false},
		{"no duration any more", func(s *cmv1.CertificateSpec) { s.Duration = nil }, false, true},
		{"encoding", func(s *cmv1.CertificateSpec) { s.PrivateKey = nil }, false, true},
		{"encoding and a name", func(s *cmv1.CertificateSpec) { s.PrivateKey, s.CommonName = nil, "x" }, true, false},
		{"renewBefore", func(s *cmv1.CertificateSpec) { s.RenewBefore = nil }, false, false},
		{"labels of the Secret", func(s *cmv1.CertificateSpec) { s.SecretTemplate = &cmv1.CertificateSecretTemplate{} }, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := *base.DeepCopy()
			c.change(&now)
			if got := issuesByItself(base, now); got != c.byItself {
				t.Errorf("cert-manager issues by itself: %v", got)
			}
			if got := NeedsTrigger(base, now); got != c.wanted {
				t.Errorf("needs a trigger: %v", got)
			}
		})
	}
	first, given := cmv1.CertificateSpec{}, cmv1.CertificateSpec{Duration: hours(90 * 24)}
	if NeedsTrigger(first, given) {
		t.Error("saying the default duration changes nothing")
	}
	if given.Duration = hours(1); !NeedsTrigger(first, given) {
		t.Error("a first duration shows in no certificate without a trigger")
	}
}

func backwards(list []string) []string {
	out := make([]string, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i])
	}
	return out
}
