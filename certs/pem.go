package certs

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxAuthorities is more than any bundle has; what is longer is no bundle.
const maxAuthorities = 128

// What is wrong with PEM text. The text itself is never part of a message: it may be a key.
var (
	errNoCertificate = errors.New("there is no certificate in it")
	errNotPEM        = errors.New("there is something else than certificates in PEM form in it")
	errTooMany       = errors.New("there are too many certificates in it")
)

// Parse reads certificates in PEM form, one after another, and nothing else but white space.
func Parse(text []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for rest := bytes.TrimSpace(text); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != pemCertificate {
			return nil, errNotPEM
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %w", len(list)+1, err)
		}
		if list = append(list, c); len(list) > maxAuthorities {
			return nil, errTooMany
		}
	}
	if len(list) == 0 {
		return nil, errNoCertificate
	}
	return list, nil
}

// format writes certificates, each once, in an order that does not depend on where they come from.
func format(list []*x509.Certificate) []byte {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *x509.Certificate) int {
		return cmp.Or(a.NotBefore.Compare(b.NotBefore), bytes.Compare(a.Raw, b.Raw))
	})
	list = slices.CompactFunc(list, func(a, b *x509.Certificate) bool { return a.Equal(b) })
	var text bytes.Buffer
	for _, c := range list {
		_ = pem.Encode(&text, &pem.Block{Type: pemCertificate, Bytes: c.Raw}) // a buffer never fails
	}
	return text.Bytes()
}

// Union is the bundle with every authority of the given ones, those left out that have expired.
func Union(now time.Time, bundles ...[]byte) ([]byte, error) {
	var all []*x509.Certificate
	for _, b := range bundles {
		list, err := Parse(b)
		if err != nil {
			return nil, fmt.Errorf("joining authorities: %w", err)
		}
		all = append(all, list...)
	}
	return format(slices.DeleteFunc(all, func(c *x509.Certificate) bool { return now.After(c.NotAfter) })), nil
}

// SameAuthority tells whether whoever trusts the old bundle trusts all that the new one trusts: then certificates can
// change without anybody having to learn first.
func SameAuthority(old, now []byte) bool {
	have, err := Parse(old)
	if err != nil {
		return false
	}
	want, err := Parse(now)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(want, func(w *x509.Certificate) bool { return !slices.ContainsFunc(have, w.Equal) })
}

// signs tells whether the authority vouches for the first certificate of the chain, at a time when both were valid.
func signs(authority *x509.Certificate, chain []*x509.Certificate) bool {
	at := chain[0].NotBefore
	if at.Before(authority.NotBefore) {
		at = authority.NotBefore
	}
	return verify509(authority, chain, at) == nil
}

func verify509(authority *x509.Certificate, chain []*x509.Certificate, at time.Time) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(authority)
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// Pair is what cert-manager leaves in a Secret, in PEM form.
type Pair struct {
	// Chain is the certificate, and those between it and its authority. Key is its key.
	Chain, Key []byte
	// Authority is what others have to trust to believe the certificate.
	Authority []byte
}

// Keys of the Secrets that cert-manager fills.
const (
	keyChain     = "tls.crt"
	keyPrivate   = "tls.key"
	keyAuthority = "ca.crt"
)

// ErrNoAuthority says that the issuer does not tell what to trust. ACME issuers do not, for example.
var ErrNoAuthority = errors.New("the issuer hands out no " + keyAuthority + ", so nobody could verify the certificate")

// PairOf takes a certificate out of a Secret's data and checks that it can be used: the key is the certificate's, the
// authority vouches for it, and it is valid at that time.
func PairOf(data map[string][]byte, now time.Time) (Pair, error) {
	p := Pair{Chain: data[keyChain], Key: data[keyPrivate], Authority: data[keyAuthority]}
	if len(p.Chain) == 0 || len(p.Key) == 0 {
		return Pair{}, fmt.Errorf("%s or %s is missing", keyChain, keyPrivate)
	}
	if len(bytes.TrimSpace(p.Authority)) == 0 {
		return Pair{}, ErrNoAuthority
	}
	if _, err := tls.X509KeyPair(p.Chain, p.Key); err != nil {
		return Pair{}, errors.New("the key does not belong to the certificate")
	}
	chain, err := Parse(p.Chain)
	if err != nil {
		return Pair{}, fmt.Errorf("%s: %w", keyChain, err)
	}
	authorities, err := Parse(p.Authority)
	if err != nil {
		return Pair{}, fmt.Errorf("%s: %w", keyAuthority, err)
	}
	if now.After(chain[0].NotAfter) {
		return Pair{}, fmt.Errorf("the certificate has expired at %s", chain[0].NotAfter.UTC().Format(time.RFC3339))
	}
	if !slices.ContainsFunc(authorities, func(a *x509.Certificate) bool { return verify509(a, chain, now) == nil }) {
		return Pair{}, fmt.Errorf("the authority in %s does not vouch for the certificate", keyAuthority)
	}
	return p, nil
}
