package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

// ca is an authority that tests issue with.
type ca struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func newCA(t testing.TB, name string, life time.Duration) ca {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: start.Add(-time.Hour), NotAfter: start.Add(life), KeyUsage: x509.KeyUsageCertSign,
	}
	return ca{sign(t, template, template, key.Public(), key), key}
}

func sign(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a ca) pem() []byte { return format([]*x509.Certificate{a.certificate}) }

// issue returns what cert-manager leaves in a Secret.
func (a ca) issue(t testing.TB, life time.Duration, between ...ca) map[string][]byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := a
	if len(between) > 0 {
		signer = between[0]
	}
	leaf := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "db"}, DNSNames: []string{"db"},
		NotBefore: start.Add(-time.Hour), NotAfter: start.Add(life),
	}, signer.certificate, key.Public(), signer.key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := format([]*x509.Certificate{leaf})
	for _, b := range between {
		chain = append(chain, b.pem()...)
	}
	return map[string][]byte{keyChain: chain, keyAuthority: a.pem(), keyPrivate: pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der})}
}

func (a ca) intermediate(t testing.TB, name string) ca {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ca{sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: start.Add(-time.Hour), NotAfter: start.Add(year), KeyUsage: x509.KeyUsageCertSign,
	}, a.certificate, key.Public(), a.key), key}
}

const year = 365 * day

func pair(t testing.TB, data map[string][]byte) Pair {
	t.Helper()
	p, err := PairOf(data, start)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPairOf(t *testing.T) {
	one, two := newCA(t, "one", year), newCA(t, "two", year)
	with := func(change func(map[string][]byte)) map[string][]byte {
		data := one.issue(t, day)
		change(data)
		return data
	}
	other := one.issue(t, day)
	for _, c := range []struct {
		name string
		data map[string][]byte
		want string
	}{
		{"good", one.issue(t, day), ""},
		{"through an intermediate", one.issue(t, day, one.intermediate(t, "between")), ""},
		{"empty", nil, "tls.crt or tls.key is missing"},
		{"no key", with(func(d map[string][]byte) { delete(d, keyPrivate) }), "tls.crt or tls.key is missing"},
		{"no authority", with(func(d map[string][]byte) { d[keyAuthority] = []byte(" \n") }), ErrNoAuthority.Error()},
		{"the key of another", with(func(d map[string][]byte) { d[keyPrivate] = other[keyPrivate] }), "the key does not belong to the certificate"},
		{"the authority of another", with(func(d map[string][]byte) { d[keyAuthority] = two.pem() }), "the authority in ca.crt does not vouch for the certificate"},
		{"a key among the authorities", with(func(d map[string][]byte) { d[keyAuthority] = d[keyPrivate] }), "ca.crt: " + errNotPEM.Error()},
		{"expired", one.issue(t, -time.Minute), "the certificate has expired at 2026-11-20T23:59:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := PairOf(c.data, start)
			if (err == nil) != (c.want == "") || (err != nil && err.Error() != c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if (c.want == ErrNoAuthority.Error()) != errors.Is(err, ErrNoAuthority) {
				t.Error("a missing authority is not told apart")
			}
		})
	}
}

func TestUnion(t *testing.T) {
	one, two, gone := newCA(t, "one", year), newCA(t, "two", 2*year), newCA(t, "gone", -time.Minute)
	a, err := Union(start, one.pem(), two.pem(), gone.pem(), one.pem())
	if err != nil {
		t.Fatal(err)
	}
	b, err := Union(start, gone.pem(), append(two.pem(), one.pem()...))
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the bundle depends on the order: %v", err)
	}
	if list, err := Parse(a); err != nil || len(list) != 2 {
		t.Errorf("the bundle has %d authorities: %v", len(list), err)
	}
	if !SameAuthority(a, one.pem()) || SameAuthority(one.pem(), a) || SameAuthority(nil, a) || SameAuthority(a, nil) {
		t.Error("bundles are compared wrongly")
	}
	if _, err := Union(start, one.pem(), []byte("x")); err == nil {
		t.Error("text that is no certificate is joined")
	}
}

// trusts tells whether whoever mounts the one copy believes every certificate of the other.
func trusts(t *testing.T, mine, theirs Copy) bool {
	t.Helper()
	authorities, err := Parse(mine[keyAuthority])
	if err != nil {
		t.Fatal(err)
	}
	for _, chain := range theirs.chains() {
		believed := false
		for _, a := range authorities {
			believed = believed || signs(a, chain)
		}
		if !believed {
			return false
		}
	}
	return true
}

func TestExchange(t *testing.T) {
	one, two, three := newCA(t, "one", year), newCA(t, "two", year), newCA(t, "three", year)
	current := func(a ca) map[string]Pair {
		return map[string]Pair{"server": pair(t, a.issue(t, day)), "client": pair(t, a.issue(t, day))}
	}
	copyOf := func(a ca, bundle ...ca) Copy {
		var text []byte
		for _, b := range append(bundle, a) {
			text = append(text, b.pem()...)
		}
		return NewCopy(current(a), text)
	}
	for _, c := range []struct {
		name     string
		current  map[string]Pair
		mounted  map[string]Copy
		others   []Copy
		new, old bool
	}{
		{"the first certificates", current(one), nil, nil, false, false},
		{"renewed by the same authority", current(one), map[string]Copy{"g": copyOf(one)}, nil, false, false},
		{"another authority", current(two), map[string]Copy{"g": copyOf(one)}, nil, true, true},
		{"the authority before goes", current(two), map[string]Copy{"g": copyOf(two, one)}, nil, false, false},
		{"back to the authority before", current(one), map[string]Copy{"g": copyOf(two, one)}, nil, false, true},
		{"groups apart", current(three), map[string]Copy{"g": copyOf(one), "h": copyOf(two, one)}, nil, true, true},
		{"an authority per certificate", map[string]Pair{"server": current(one)["server"], "client": current(two)["client"]},
			map[string]Copy{"g": copyOf(one)}, nil, true, false},
		{"pods left behind", current(one), map[string]Copy{"g": copyOf(one)}, []Copy{copyOf(two, one)}, false, true},
		{"pods left behind that trust less", current(two), map[string]Copy{"g": copyOf(two, one)}, []Copy{copyOf(one)}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := NewExchange(start, c.current, c.mounted, c.others...)
			if err != nil {
				t.Fatal(err)
			}
			if e.NewAuthority != c.new || e.OldAuthority != c.old {
				t.Errorf("new authority %v, old authority %v", e.NewAuthority, e.OldAuthority)
			}
			for group, trust := range e.Trust {
				if !c.new && CopyName("db", trust) != CopyName("db", c.mounted[group]) {
					t.Error("pods would restart to learn nothing")
				}
				for _, other := range e.Trust {
					meet(t, "Trust and Trust", trust, other)
				}
				for _, before := range c.mounted {
					meet(t, "Before and Trust", trust, before)
				}
				meet(t, "Trust and After", trust, e.After)
			}
			meet(t, "After", e.After, e.After)
			for _, alias := range []string{"server", "client"} {
				if !bytes.Equal(e.After[alias+".crt"], c.current[alias].Chain) || !bytes.Equal(e.After[alias+".key"], c.current[alias].Key) {
					t.Errorf("%s is not what was issued", alias)
				}
			}
		})
	}
}

// meet checks that pods with these copies trust one another, if they ever did: groups that did not are not our doing.
func meet(t *testing.T, who string, a, b Copy) {
	t.Helper()
	if !trusts(t, a, b) || !trusts(t, b, a) && who != "Before and Trust" {
		t.Errorf("%s do not trust one another", who)
	}
}

func TestExchangeRefuses(t *testing.T) {
	one, gone := newCA(t, "one", year), newCA(t, "gone", -time.Minute)
	good := map[string]Pair{"server": pair(t, one.issue(t, day))}
	for name, f := range map[string]func() error{
		"no certificates": func() error { _, err := NewExchange(start, nil, nil); return err },
		"an expired authority": func() error {
			_, err := NewExchange(start, map[string]Pair{"server": {Authority: gone.pem()}}, nil)
			return err
		},
		"a copy without authorities": func() error {
			_, err := NewExchange(start, good, map[string]Copy{"g": {}})
			return err
		},
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// No key gets into a message, whatever is in the Secret.
func FuzzPairOf(f *testing.F) {
	data := newCA(f, "one", year).issue(f, day)
	f.Add(data[keyChain], data[keyPrivate], data[keyAuthority])
	f.Add(data[keyPrivate], data[keyPrivate], data[keyPrivate])
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----"), []byte("x"), []byte(""))
	f.Fuzz(func(t *testing.T, chain, key, authority []byte) {
		_, err := PairOf(map[string][]byte{keyChain: chain, keyPrivate: key, keyAuthority: authority}, start)
		if err != nil && len(key) > 40 && strings.Contains(err.Error(), string(key[len(key)/4:3*len(key)/4])) {
			t.Errorf("the message tells the key: %v", err)
		}
		c := Copy{keyAuthority: authority, "server" + extChain: chain}
		if e, err := NewExchange(start, map[string]Pair{"server": pair0(chain, key, authority)}, map[string]Copy{"g": c}); err == nil {
			if _, err := Parse(e.After[keyAuthority]); err != nil {
				t.Errorf("a bundle that cannot be read: %v", err)
			}
		}
	})
}

func pair0(chain, key, authority []byte) Pair {
	return Pair{Chain: chain, Key: key, Authority: authority}
}

func FuzzParse(f *testing.F) {
	f.Add(newCA(f, "one", year).pem())
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(format(list))
		if err != nil || len(again) > len(list) {
			t.Errorf("what was read cannot be read again: %v", err)
		}
		if !SameAuthority(text, format(list)) || !SameAuthority(format(list), text) {
			t.Error("a bundle is not the same as itself")
		}
		_, _ = ParseMounted(string(text)), signing(text, []Copy{{"server" + extChain: text}})
	})
}
