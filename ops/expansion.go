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
	var finished int
	var missing, refused, open []string
	for _, c := range claims {
		switch {
		case !c.Exists:
			missing = append(missing, c.Name)
		case c.Capacity.Cmp(want) >= 0, stopped && c.FileSystemPending && c.Requested.Cmp(want) >= 0:
			finished++
		case c.Requested.Cmp(want) < 0:
			e.Grow = append(e.Grow, c.Name)
			open = append(open, fmt.Sprintf("%s has %s", c.Name, c.Capacity.String()))
		case c.Infeasible != "":
			refused = append(refused, fmt.Sprintf("%s: %s", c.Name, c.Infeasible))
		default:
			open = append(open, fmt.Sprintf("%s has %s", c.Name, c.Capacity.String()))
		}
	}
	e.Outcome = Outcome{Status: Waiting, Message: expansionReport(finished, len(claims), want, missing, refused, open)}
	switch {
	case finished == len(claims):
		e.Outcome.Status = Done
	case len(e.Grow) > 0:
		e.Outcome.Reason = ReasonExpanding
	case len(missing) > 0:
		e.Outcome.Reason = ReasonClaimMissing
	case len(open) == 0:
		// The others have come to their end; the storage will not change its mind about these.
		e.Outcome.Status, e.Outcome.Reason = Failed, ReasonExpansionInfeasible
	default:
		e.Outcome.Reason = ReasonExpanding
	}
	return e
}

func expansionReport(finished, all int, want resource.Quantity, missing, refused, open []string) string {
	parts := []string{fmt.Sprintf("%d of %d claims have %s", finished, all, want.String())}
	if len(missing) > 0 {
		parts = append(parts, "missing: "+strings.Join(missing, ", "))
	}
	if len(refused) > 0 {
		parts = append(parts, "refused by the storage: "+strings.Join(refused, ", "))
	}
	if len(open) > 0 {
		parts = append(parts, "growing: "+strings.Join(open, ", "))
	}
	return strings.Join(parts, "; ")
}
