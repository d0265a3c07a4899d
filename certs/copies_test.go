package certs

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/drydock-db/drydock/certs/certstest"
)

// ca is an authority that tests issue with.
type ca = certstest.Authority

func newCA(name string, life time.Duration) ca { return certstest.NewAuthority(name, start, life) }

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
	one, two := newCA("one", year), newCA("two", year)
	with := func(change func(map[string][]byte)) map[string][]byte {
		data := one.Issue(start, day)
		change(data)
		return data
	}
	other := one.Issue(start, day)
	for _, c := range []struct {
		name string
		data map[string][]byte
		want string
	}{
		{"good", one.Issue(start, day), ""},
		{"through an intermediate", one.Issue(start, day, one.Below("between", start, year)), ""},
		{"empty", nil, "tls.crt or tls.key is missing"},
		{"no key", with(func(d map[string][]byte) { delete(d, keyPrivate) }), "tls.crt or tls.key is missing"},
		{"no authority", with(func(d map[string][]byte) { d[keyAuthority] = []byte(" \n") }), ErrNoAuthority.Error()},
		{"the key of another", with(func(d map[string][]byte) { d[keyPrivate] = other[keyPrivate] }), "the key does not belong to the certificate"},
		{"the authority of another", with(func(d map[string][]byte) { d[keyAuthority] = two.PEM() }), "the authority in ca.crt does not vouch for the certificate"},
		{"a key among the authorities", with(func(d map[string][]byte) { d[keyAuthority] = d[keyPrivate] }), "ca.crt: " + errNotPEM.Error()},
		{"expired", one.Issue(start, -time.Minute), "the certificate has expired at 2026-11-20T23:59:00Z"},
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
	one, two, gone := newCA("one", year), newCA("two", 2*year), newCA("gone", -time.Minute)
	a, err := Union(start, one.PEM(), two.PEM(), gone.PEM(), one.PEM())
	if err != nil {
		t.Fatal(err)
	}
	b, err := Union(start, gone.PEM(), append(two.PEM(), one.PEM()...))
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the bundle depends on the order: %v", err)
	}
	if list, err := Parse(a); err != nil || len(list) != 2 {
		t.Errorf("the bundle has %d authorities: %v", len(list), err)
	}
	if !SameAuthority(a, one.PEM()) || SameAuthority(one.PEM(), a) || SameAuthority(nil, a) || SameAuthority(a, nil) {
		t.Error("bundles are compared wrongly")
	}
	if _, err := Union(start, one.PEM(), []byte("x")); err == nil {
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
	one, two, three := newCA("one", year), newCA("two", year), newCA("three", year)
	current := func(a ca) map[string]Pair {
		return map[string]Pair{"server": pair(t, a.Issue(start, day)), "client": pair(t, a.Issue(start, day))}
	}
	copyOf := func(a ca, bundle ...ca) Copy {
		var text []byte
		for _, b := range append(bundle, a) {
			text = append(text, b.PEM()...)
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
	one, gone := newCA("one", year), newCA("gone", -time.Minute)
	good := map[string]Pair{"server": pair(t, one.Issue(start, day))}
	for name, f := range map[string]func() error{
		"no certificates": func() error { _, err := NewExchange(start, nil, nil); return err },
		"an expired authority": func() error {
			_, err := NewExchange(start, map[string]Pair{"server": {Authority: gone.PEM()}}, nil)
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
	data := newCA("one", year).Issue(start, day)
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
	f.Add(newCA("one", year).PEM())
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
