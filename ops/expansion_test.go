package ops

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
)

func claim(name, requested, capacity string) Claim {
	return Claim{Name: name, Exists: true, Requested: resource.MustParse(requested), Capacity: resource.MustParse(capacity)}
}

func TestExpand(t *testing.T) {
	infeasible := claim("b", "2Gi", "1Gi")
	infeasible.Infeasible = "no room"
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
			status: Waiting, reason: ReasonExpanding, message: "1 of 2 claims have 2Gi; growing: b has 1Gi",
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
			status: Failed, reason: ReasonExpansionInfeasible, message: "1 of 2 claims have 2Gi; refused by the storage: b: no room",
		},
		"a claim is gone": {
			claims: []Claim{claim("a", "2Gi", "2Gi"), {Name: "b"}},
			status: Waiting, reason: ReasonClaimMissing, message: "1 of 2 claims have 2Gi; missing: b",
		},
		"a stopped pod cannot grow its file system": {claims: []Claim{pending}, stopped: true, status: Done, message: "1 of 1 claims have 2Gi"},
		"a running pod can":                         {claims: []Claim{pending}, status: Waiting, reason: ReasonExpanding, message: "0 of 1 claims have 2Gi; growing: a has 1Gi"},
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
