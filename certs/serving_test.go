package certs

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func authority(t testing.TB, now time.Time) Authority {
	t.Helper()
	a, err := NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPlanServing(t *testing.T) {
	first := authority(t, start)
	introduced := start.Add(AuthorityLife - AuthorityOverlap)
	second := authority(t, introduced)
	gone := introduced.Add(AuthorityPublished + LeafLife + clockSkew)
	for name, tc := range map[string]struct {
		now                time.Time
		stored             []Authority
		keep               []Authority
		introduce, changed bool
		next               time.Time
	}{
		"nothing stored":           {start, nil, nil, true, false, time.Time{}},
		"young":                    {start, []Authority{first}, []Authority{first}, false, false, introduced},
		"just before overlap":      {introduced.Add(-time.Second), []Authority{first}, []Authority{first}, false, false, introduced},
		"overlap begins":           {introduced, []Authority{first}, []Authority{first}, true, false, time.Time{}},
		"both trusted":             {introduced, []Authority{first, second}, []Authority{first, second}, false, false, gone},
		"order does not matter":    {introduced, []Authority{second, first}, []Authority{first, second}, false, false, gone},
		"last leaf may still live": {gone.Add(-time.Second), []Authority{first, second}, []Authority{first, second}, false, false, gone},
		"predecessor goes":         {gone, []Authority{first, second}, []Authority{second}, false, true, introduced.Add(AuthorityLife - AuthorityOverlap)},
		"all expired":              {start.Add(2 * AuthorityLife), []Authority{first, second}, nil, true, true, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := PlanServing(tc.now, tc.stored)
			if !bytes.Equal(Bundle(plan.Keep), Bundle(tc.keep)) {
				t.Errorf("keeps %d authorities, want %d, or others", len(plan.Keep), len(tc.keep))
			}
			if plan.Introduce != tc.introduce || plan.Changed != tc.changed || !plan.Next.Equal(tc.next) {
				t.Errorf("got introduce %v, changed %v, next %s; want %v, %v, %s", plan.Introduce, plan.Changed, plan.Next, tc.introduce, tc.changed, tc.next)
			}
		})
	}
}

func TestSigner(t *testing.T) {
	first, second := authority(t, start), authority(t, start.Add(100*day))
	for name, tc := range map[string]struct {
		now    time.Time
		stored []Authority
		want   *Authority
	}{
		"none":                   {start, nil, nil},
		"first start":            {start, []Authority{first}, &first},
		"successor unpublished":  {start.Add(100 * day), []Authority{second, first}, &first},
		"successor published":    {start.Add(100*day + AuthorityPublished), []Authority{second, first}, &second},
		"only the new one":       {start.Add(100 * day), []Authority{second}, &second},
		"expired ones never":     {start.Add(AuthorityLife), []Authority{first}, nil},
		"expired, other is left": {start.Add(AuthorityLife), []Authority{first, second}, &second},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := Signer(tc.now, tc.stored)
			if ok != (tc.want != nil) || ok && !got.Certificate.Equal(tc.want.Certificate) {
				t.Errorf("got %v, want %v", got.Certificate, tc.want)
			}
		})
	}
}

func TestLeaf(t *testing.T) {
	a, stranger := authority(t, start), authority(t, start)
	leaf, err := NewLeaf(start, a, []string{"drydock-webhook.drydock-system.svc", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"drydock-webhook.drydock-system.svc", "127.0.0.1"} {
		if err := verify(leaf, host, start, Bundle([]Authority{stranger, a})); err != nil {
			t.Error(err)
		}
	}
	if err := verify(leaf, "127.0.0.1", start, Bundle([]Authority{stranger})); err == nil {
		t.Error("trusted by a bundle without its authority")
	}
	renewal := LeafRenewal(leaf.Leaf)
	for name, tc := range map[string]struct {
		now     time.Time
		leaf    *x509.Certificate
		trusted []Authority
		want    bool
	}{
		"none":          {start, nil, []Authority{a}, true},
		"fresh":         {start, leaf.Leaf, []Authority{stranger, a}, false},
		"before":        {renewal.Add(-time.Second), leaf.Leaf, []Authority{a}, false},
		"due":           {renewal, leaf.Leaf, []Authority{a}, true},
		"other trusted": {start, leaf.Leaf, []Authority{stranger}, true},
	} {
		if got := LeafDue(tc.now, tc.leaf, tc.trusted); got != tc.want {
			t.Errorf("%s: due is %v, want %v", name, got, tc.want)
		}
	}
}

func verify(leaf *tls.Certificate, host string, now time.Time, bundle []byte) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	_, err := leaf.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now})
	return err
}

// TestLeafNeverOutlivesItsSigner because a client checks the whole chain.
func TestLeafNeverOutlivesItsSigner(t *testing.T) {
	a := authority(t, start)
	leaf, err := NewLeaf(start.Add(AuthorityLife-day), a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !leaf.Leaf.NotAfter.Equal(a.Certificate.NotAfter) {
		t.Errorf("leaf ends at %s, its signer at %s", leaf.Leaf.NotAfter, a.Certificate.NotAfter)
	}
}

func TestParseAuthorities(t *testing.T) {
	one, two := authority(t, start), authority(t, start)
	content, err := EncodeAuthorities([]Authority{one, two})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseAuthorities(content)
	if err != nil || len(parsed) != 2 || !bytes.Equal(Bundle(parsed), Bundle([]Authority{one, two})) {
		t.Errorf("read back %d authorities, %v", len(parsed), err)
	}
	swapped, err := EncodeAuthorities([]Authority{{Certificate: one.Certificate, Key: two.Key}})
	if err != nil {
		t.Fatal(err)
	}
	bundle := Bundle([]Authority{one})
	for name, tc := range map[string]struct{ content, want string }{
		"key of another":   {string(swapped), "does not belong"},
		"no key":           {string(bundle), "pairs"},
		"two in a row":     {string(bundle) + string(content), "pairs"},
		"garbage":          {"garbage", "nothing but PEM"},
		"garbage behind":   {string(content) + "garbage", "nothing but PEM"},
		"garbage inside":   {strings.Replace(string(content), "MII", "AAA", 1), "parsing"},
		"not an authority": {leafPair(t, one), "does not belong"},
	} {
		if _, err := ParseAuthorities([]byte(tc.content)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got error %v, want %q", name, err, tc.want)
		}
	}
	if none, err := ParseAuthorities(nil); err != nil || len(none) != 0 {
		t.Errorf("nothing is no authority: got %v, %v", none, err)
	}
}

func leafPair(t *testing.T, signer Authority) string {
	t.Helper()
	leaf, err := NewLeaf(start, signer, nil)
	if err != nil {
		t.Fatal(err)
	}
	content, err := EncodeAuthorities([]Authority{{Certificate: leaf.Leaf, Key: leaf.PrivateKey.(crypto.Signer)}})
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
