package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"
)

// Types of PEM blocks.
const (
	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY"
)

// Authority signs what the webhook server serves.
type Authority struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// NewAuthority makes an authority with a P-256 key: signing with it costs a sixth of what P-384 does.
func NewAuthority(now time.Time) (Authority, error) {
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "drydock webhook authority"},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(AuthorityLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IsCA:     true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	return issue(template, nil)
}

// NewLeaf makes the certificate that one replica serves under the given names and addresses.
func NewLeaf(now time.Time, signer Authority, hosts []string) (*tls.Certificate, error) {
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "drydock webhook"},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(LeafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if template.NotAfter.After(signer.Certificate.NotAfter) {
		template.NotAfter = signer.Certificate.NotAfter
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	leaf, err := issue(template, &signer)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{
		Certificate: [][]byte{leaf.Certificate.Raw}, PrivateKey: leaf.Key, Leaf: leaf.Certificate,
	}, nil
}

// issue makes a key and signs the template, by itself when there is no signer.
func issue(template *x509.Certificate, signer *Authority) (Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Authority{}, fmt.Errorf("making a key: %w", err)
	}
	if signer == nil {
		signer = &Authority{Certificate: template, Key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Certificate, key.Public(), signer.Key)
	if err != nil {
		return Authority{}, fmt.Errorf("signing a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return Authority{}, fmt.Errorf("reading back a certificate: %w", err)
	}
	return Authority{Certificate: certificate, Key: key}, nil
}

// EncodeAuthorities writes authorities as PEM: each certificate, followed by its key.
func EncodeAuthorities(authorities []Authority) ([]byte, error) {
	var out bytes.Buffer
	for _, a := range authorities {
		key, err := x509.MarshalPKCS8PrivateKey(a.Key)
		if err != nil {
			return nil, fmt.Errorf("encoding a key: %w", err)
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: a.Certificate.Raw}))
		out.Write(pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: key}))
	}
	return out.Bytes(), nil
}

// ParseAuthorities reads what EncodeAuthorities wrote. It accepts only whole pairs that belong together.
func ParseAuthorities(content []byte) ([]Authority, error) {
	var authorities []Authority
	for {
		var certificate, key *pem.Block
		if certificate, content = pem.Decode(content); certificate == nil {
			break
		}
		if key, content = pem.Decode(content); key == nil || certificate.Type != pemCertificate || key.Type != pemKey {
			return nil, errors.New("want pairs of a certificate and its key")
		}
		a, err := parseAuthority(certificate.Bytes, key.Bytes)
		if err != nil {
			return nil, err
		}
		authorities = append(authorities, a)
	}
	if len(bytes.TrimSpace(content)) > 0 {
		return nil, errors.New("want nothing but PEM blocks")
	}
	return authorities, nil
}

func parseAuthority(certificate, key []byte) (Authority, error) {
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		return Authority{}, fmt.Errorf("parsing an authority's certificate: %w", err)
	}
	private, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return Authority{}, fmt.Errorf("parsing an authority's key: %w", err)
	}
	signer, ok := private.(*ecdsa.PrivateKey)
	if !ok || !parsed.IsCA || !signer.PublicKey.Equal(parsed.PublicKey) {
		return Authority{}, errors.New("the key does not belong to the authority's certificate")
	}
	return Authority{Certificate: parsed, Key: signer}, nil
}

// Bundle is what a client has to trust: the certificates of all authorities as PEM.
func Bundle(authorities []Authority) []byte {
	var out bytes.Buffer
	for _, a := range authorities {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: a.Certificate.Raw}))
	}
	return out.Bytes()
}
