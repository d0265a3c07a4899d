package ops

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
)

func claim(name, requested, capacity string) Claim {
	return Claim{Name: name, Exists: true, Requested: resource.MustParse(requested), Capacity: resource.MustParse(capacity)}
}

// TestExpandAfterTheAnswers goes through what the API server may say to claims that were asked to grow.
func TestExpandAfterTheAnswers(t *testing.T) {
	infeasible := claim("c", "2Gi", "1Gi")
	infeasible.Infeasible = "no room"
	small := []Claim{claim("a", "1Gi", "1Gi"), claim("b", "1Gi", "1Gi"), claim("c", "1Gi", "1Gi")}
	pending := claim("c", "1Gi", "0")
	pending.Unbound = true
	for name, c := range map[string]struct {
		claims  []Claim
		refused map[string]string
		status  Status
		reason  string
		message string
	}{
		"all granted": {
			claims: small, status: Waiting, reason: ReasonExpanding,
			message: "0 of 3 claims have 2Gi; granted: a, b, c",
		},
		"one without a volume yet": {
			claims: []Claim{claim("a", "2Gi", "2Gi"), pending}, status: Waiting, reason: ReasonClaimMissing,
			message: "1 of 2 claims have 2Gi: a; without a volume yet: c",
		},
		"one refused": {
			claims: small, refused: map[string]string{"b": "over quota"}, status: Failed, reason: ReasonExpansionRefused,
			message: "0 of 3 claims have 2Gi; refused by the API server: b: over quota; granted: a, c",
		},
		"all refused, each with its reason": {
			claims: small, refused: map[string]string{"a": "over quota", "b": "not yours", "c": "over quota"},
			status: Failed, reason: ReasonExpansionRefused,
			message: "0 of 3 claims have 2Gi; refused by the API server: a: over quota, b: not yours, c: over quota",
		},
		"one refused, one done, one on its way": {
			claims:  []Claim{claim("a", "2Gi", "2Gi"), claim("b", "1Gi", "1Gi"), claim("c", "2Gi", "1Gi")},
			refused: map[string]string{"b": "over quota"}, status: Failed, reason: ReasonExpansionRefused,
			message: "1 of 3 claims have 2Gi: a; refused by the API server: b: over quota; growing: c has 1Gi",
		},
		"by both": {
			claims:  []Claim{claim("a", "2Gi", "2Gi"), claim("b", "1Gi", "1Gi"), infeasible},
			refused: map[string]string{"b": "over quota"}, status: Failed, reason: ReasonExpansionRefused,
			message: "1 of 3 claims have 2Gi: a; refused by the storage: c: no room; refused by the API server: b: over quota",
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := resource.MustParse("2Gi")
			before := slices.Clone(c.claims)
			answered := Answered(c.claims, Expand(c.claims, want, false).Grow, c.refused)
			if diff := cmp.Diff(before, c.claims); diff != "" {
				t.Errorf("the claims that were given have changed: %s", diff)
			}
			got := Expand(answered, want, false)
			if got.Outcome.Status != c.status || got.Outcome.Reason != c.reason || got.Outcome.Message != c.message {
				t.Errorf("got %+v", got.Outcome)
			}
			if len(got.Grow) > 0 {
				t.Errorf("%v are asked to grow once more", got.Grow)
			}
		})
	}
}

// A condition's message may have 32 KiB. More would keep the whole status from being written.
func TestManyDenialsFitIntoACondition(t *testing.T) {
	var claims []Claim
	refused := map[string]string{}
	for i := range 500 {
		c := claim(fmt.Sprintf("data-sdb-leaf-%d", i), "1Gi", "1Gi")
		claims = append(claims, c)
		refused[c.Name] = strings.Repeat("exceeded quota, ", 30)
	}
	want := resource.MustParse("2Gi")
	message := Expand(Answered(claims, Expand(claims, want, false).Grow, refused), want, false).Outcome.Message
	if len(message) >= 32<<10 || !strings.Contains(message, "data-sdb-leaf-499") {
		t.Errorf("%d bytes: %s", len(message), message)
	}
}

func TestExpand(t *testing.T) {
	infeasible := claim("b", "2Gi", "1Gi")
	infeasible.Infeasible = "no room"
	tooMuch := claim("b", "9Gi", "1Gi")
	tooMuch.Infeasible = "no room"
	troubled := claim("b", "9Gi", "1Gi")
	troubled.Trouble = "a bad moment"
	retried := claim("b", "2Gi", "1Gi")
	retried.Trouble = "a bad moment"
	pending := claim("a", "2Gi", "1Gi")
	pending.FileSystemPending = true
	for name, c := range map[string]struct {
		claims  []Claim
		stopped bool
		status  Status
		reason  string
		grow    []string
		message string
	}{
		"all have to grow": {
			claims: []Claim{claim("a", "1Gi", "1Gi"), claim("b", "1Gi", "1Gi")},
			status: Waiting, reason: ReasonExpanding, grow: []string{"a", "b"},
			message: "0 of 2 claims have 2Gi; growing: a has 1Gi, b has 1Gi",
		},
		"one is on its way": {
			claims: []Claim{claim("a", "2Gi", "2Gi"), claim("b", "2Gi", "1Gi")},
			status: Waiting, reason: ReasonExpanding, message: "1 of 2 claims have 2Gi: a; growing: b has 1Gi",
		},
		"larger is fine, and the unit does not matter": {
			claims: []Claim{claim("a", "2048Mi", "2048Mi"), claim("b", "3Gi", "3Gi")},
			status: Done, message: "2 of 2 claims have 2Gi",
		},
		"one is refused while another grows": {
			claims: []Claim{claim("a", "2Gi", "1Gi"), infeasible},
			status: Waiting, reason: ReasonExpanding, message: "0 of 2 claims have 2Gi; refused by the storage: b: no room; growing: a has 1Gi",
		},
		"one is refused and the rest is done": {
			claims: []Claim{claim("a", "2Gi", "2Gi"), infeasible},
			status: Failed, reason: ReasonExpansionInfeasible, message: "1 of 2 claims have 2Gi: a; refused by the storage: b: no room",
		},
		"one that was refused more is asked for less": {
			claims: []Claim{claim("a", "9Gi", "9Gi"), tooMuch},
			status: Waiting, reason: ReasonExpanding, grow: []string{"b"}, message: "1 of 2 claims have 2Gi: a; growing: b has 1Gi",
		},
		"one that has trouble with more, too": {
			claims: []Claim{troubled},
			status: Waiting, reason: ReasonExpanding, grow: []string{"b"}, message: "0 of 1 claims have 2Gi; growing: b has 1Gi (a bad moment)",
		},
		"one that is on its way to more is not": {
			claims: []Claim{claim("a", "9Gi", "1Gi")},
			status: Waiting, reason: ReasonExpanding, message: "0 of 1 claims have 2Gi; growing: a has 1Gi",
		},
		"trouble is told and waited out": {
			claims: []Claim{retried},
			status: Waiting, reason: ReasonExpanding, message: "0 of 1 claims have 2Gi; growing: b has 1Gi (a bad moment)",
		},
		"a claim is gone": {
			claims: []Claim{claim("a", "2Gi", "2Gi"), {Name: "b"}},
			status: Waiting, reason: ReasonClaimMissing, message: "1 of 2 claims have 2Gi: a; missing: b",
		},
		"a stopped pod cannot grow its file system": {claims: []Claim{pending}, stopped: true, status: Done, message: "1 of 1 claims have 2Gi"},
		"a running pod can":                         {claims: []Claim{pending}, status: Waiting, reason: ReasonExpanding, message: "0 of 1 claims have 2Gi; growing: a has 1Gi (its file system grows when the pod starts anew)"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Expand(c.claims, resource.MustParse("2Gi"), c.stopped)
			if got.Outcome.Status != c.status || got.Outcome.Reason != c.reason || got.Outcome.Message != c.message {
				t.Errorf("got %+v", got.Outcome)
			}
			if !slices.Equal(got.Grow, c.grow) {
				t.Errorf("grows %v, want %v", got.Grow, c.grow)
			}
		})
	}
}
