// Package certstest issues certificates in tests, as authorities and cert-manager do.
package certstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Authority signs certificates.
type Authority struct {
	Certificate *x509.Certificate
	key         crypto.Signer
}

// NewAuthority makes one that signs itself and is valid from an hour before now until a life after it.
func NewAuthority(name string, now time.Time, life time.Duration) Authority {
	return authority(name, nil, now, life)
}

// Below makes an authority that this one vouches for.
func (a Authority) Below(name string, now time.Time, life time.Duration) Authority {
	return authority(name, &a, now, life)
}

func authority(name string, above *Authority, now time.Time, life time.Duration) Authority {
	key := newKey()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
	}
	if above == nil {
		above = &Authority{template, key}
	}
	return Authority{above.Sign(template, key.Public()), key}
}

// Sign makes a certificate. What cannot be signed is a mistake of the test's.
func (a Authority) Sign(template *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	var err error
	if template.SerialNumber == nil {
		template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
		must(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.Certificate, public, a.key)
	must(err)
	c, err := x509.ParseCertificate(der)
	must(err)
	return c
}

// Issue returns what cert-manager leaves in a Secret: a certificate for a database that is valid until a life after now,
// with its key, the authorities between it and this one, nearest first, and this one.
func (a Authority) Issue(now time.Time, life time.Duration, between ...Authority) map[string][]byte {
	key, signer := newKey(), append(between, a)[0]
	chain := []*x509.Certificate{signer.Sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "db"}, DNSNames: []string{"db"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
	}, key.Public())}
	for _, b := range between {
		chain = append(chain, b.Certificate)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	return map[string][]byte{
		"tls.crt": PEM(chain...), "ca.crt": PEM(a.Certificate),
		"tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	}
}

// PEM is the text of its certificate.
func (a Authority) PEM() []byte { return PEM(a.Certificate) }

// PEM is the text of certificates.
func PEM(list ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range list {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("making a certificate for a test: %v", err))
	}
}
