package ops

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Reasons of a step that grows volumes.
const (
	// ReasonExpanding means that a claim has been asked to grow and has not got there.
	ReasonExpanding = "ExpandingVolumes"
	// ReasonExpansionInfeasible means that the storage has said that the claim cannot grow to that size.
	ReasonExpansionInfeasible = "ExpansionInfeasible"
	// ReasonClaimMissing means that a pod's claim does not exist.
	ReasonClaimMissing = "ClaimMissing"
)

// Claim is a volume claim as it was seen.
type Claim struct {
	Name   string
	Exists bool
	// Requested is what the claim asks for, Capacity what it has.
	Requested, Capacity resource.Quantity
	// Infeasible is the storage's own message when it refused this size for good.
	Infeasible string
	// FileSystemPending is true when the volume has grown and its file system does so at the pod's next start.
	FileSystemPending bool
}

// Expansion is what to do about claims now.
type Expansion struct {
	Outcome Outcome
	// Grow are the claims whose request has to be raised.
	Grow []string
}

// Expand decides which claims to grow and whether they are done. Sizes are compared as quantities, and a claim that is
// larger than asked for is fine. stopped says that the pod is down, so that a file system which grows at the pod's next
// start is as far as the claim can come now. Every claim is reported.
func Expand(claims []Claim, want resource.Quantity, stopped bool) Expansion {
	var e Expansion
	var t tally
	for _, c := range claims {
		if t.count(c, want, stopped) {
			e.Grow = append(e.Grow, c.Name)
		}
	}
	e.Outcome = Outcome{Status: Waiting, Reason: ReasonExpanding, Message: t.report(len(claims), want)}
	switch {
	case t.finished == len(claims):
		e.Outcome.Status, e.Outcome.Reason = Done, ""
	case len(t.open) > 0:
	case len(t.missing) > 0:
		e.Outcome.Reason = ReasonClaimMissing
	default:
		// The others have come to their end; the storage will not change its mind about these.
		e.Outcome.Status, e.Outcome.Reason = Failed, ReasonExpansionInfeasible
	}
	return e
}

// tally sorts claims by how far they have come.
type tally struct {
	finished               int
	missing, refused, open []string
}

// count adds a claim and tells whether its request has to be raised.
func (t *tally) count(c Claim, want resource.Quantity, stopped bool) (grow bool) {
	asked := c.Requested.Cmp(want) >= 0
	switch {
	case !c.Exists:
		t.missing = append(t.missing, c.Name)
	case c.Capacity.Cmp(want) >= 0, stopped && c.FileSystemPending && asked:
		t.finished++
	case asked && c.Infeasible != "":
		t.refused = append(t.refused, c.Name+": "+c.Infeasible)
	default:
		t.open = append(t.open, c.Name+" has "+c.Capacity.String())
		return !asked
	}
	return false
}

func (t *tally) report(all int, want resource.Quantity) string {
	parts := []string{fmt.Sprintf("%d of %d claims have %s", t.finished, all, want.String())}
	for _, part := range []struct {
		title  string
		claims []string
	}{{"missing", t.missing}, {"refused by the storage", t.refused}, {"growing", t.open}} {
		if len(part.claims) > 0 {
			parts = append(parts, part.title+": "+strings.Join(part.claims, ", "))
		}
	}
	return strings.Join(parts, "; ")
}
