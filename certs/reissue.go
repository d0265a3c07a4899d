package certs

import (
	"slices"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NeedsTrigger tells whether a change of spec shows in the certificate only if somebody asks for an issuance.
// cert-manager compares the spec with the last CertificateRequest. Most changes differ there, and it issues by itself;
// it must not be asked once more. It does not look at the encoding of the key, nor at a duration that is given for the
// first time or no longer. Other changes, such as renewBefore, show in no certificate at all.
func NeedsTrigger(old, now cmv1.CertificateSpec) bool {
	if issuesByItself(old, now) {
		return false
	}
	return encoding(old) != encoding(now) || duration(old.Duration) != duration(now.Duration)
}

// issuesByItself tells whether cert-manager notices the change.
func issuesByItself(old, now cmv1.CertificateSpec) bool {
	if old.Duration != nil && now.Duration != nil && old.Duration.Duration != now.Duration.Duration {
		return true
	}
	if old.IssuerRef != now.IssuerRef || old.CommonName != now.CommonName || old.IsCA != now.IsCA || old.SecretName != now.SecretName {
		return true
	}
	for _, list := range [][2][]string{
		{old.DNSNames, now.DNSNames}, {old.IPAddresses, now.IPAddresses}, {old.URIs, now.URIs}, {old.EmailAddresses, now.EmailAddresses},
	} {
		if !sameSet(list[0], list[1]) {
			return true
		}
	}
	return !sameSet(old.Usages, now.Usages) || !sameSubject(old.Subject, now.Subject)
}

func sameSubject(a, b *cmv1.X509Subject) bool {
	if a == nil {
		a = &cmv1.X509Subject{}
	}
	if b == nil {
		b = &cmv1.X509Subject{}
	}
	for _, list := range [][2][]string{
		{a.Organizations, b.Organizations}, {a.Countries, b.Countries}, {a.OrganizationalUnits, b.OrganizationalUnits},
		{a.Localities, b.Localities}, {a.Provinces, b.Provinces}, {a.StreetAddresses, b.StreetAddresses}, {a.PostalCodes, b.PostalCodes},
	} {
		if !sameSet(list[0], list[1]) {
			return false
		}
	}
	return a.SerialNumber == b.SerialNumber
}

// sameSet compares as cert-manager does: order means nothing.
func sameSet[T ~string](a, b []T) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func encoding(s cmv1.CertificateSpec) cmv1.PrivateKeyEncoding {
	if s.PrivateKey == nil || s.PrivateKey.Encoding == "" {
		return cmv1.PKCS1
	}
	return s.PrivateKey.Encoding
}

func duration(d *metav1.Duration) time.Duration {
	if d == nil {
		return cmv1.DefaultCertificateDuration
	}
	return d.Duration
}
