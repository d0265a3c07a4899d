package ops

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Reasons of a step that grows volumes.
const (
	// ReasonExpanding means that a claim has been asked to grow and has not got there.
	ReasonExpanding = "ExpandingVolumes"
	// ReasonExpansionInfeasible means that the storage has said that the claim cannot grow to that size.
	ReasonExpansionInfeasible = "ExpansionInfeasible"
	// ReasonExpansionRefused means that the API server refused the larger claim, for example for a quota.
	ReasonExpansionRefused = "ExpansionRefused"
	// ReasonClaimMissing means that a pod's claim does not exist.
	ReasonClaimMissing = "ClaimMissing"
)

// Claim is a volume claim as it was seen.
type Claim struct {
	Name   string
	Exists bool
	// Unbound is true while the claim waits for its volume, so that it cannot be asked to grow.
	Unbound bool
	// Requested is what the claim asks for, Capacity what it has.
	Requested, Capacity resource.Quantity
	// Infeasible is the storage's own message when it refused the requested size for good, Trouble its last complaint of
	// any other kind: it may try again.
	Infeasible, Trouble string
	// FileSystemPending is true when the volume has grown and its file system does so at the pod's next start.
	FileSystemPending bool
	// Granted and Denied are the API server's answer when the claim was asked to grow just now: that it took it, or why not.
	Granted bool
	Denied  string
}

// Expansion is what to do about claims now.
type Expansion struct {
	Outcome Outcome
	// Grow are the claims whose request has to be set to the size that is wanted.
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
	case len(t.finished) == len(claims):
		e.Outcome.Status, e.Outcome.Reason = Done, ""
	case len(t.denied) > 0:
		e.Outcome.Status, e.Outcome.Reason = Failed, ReasonExpansionRefused
	case len(t.open)+len(t.granted) > 0:
	case len(t.missing)+len(t.unbound) > 0:
		e.Outcome.Reason = ReasonClaimMissing
	default:
		// The others have come to their end; the storage will not change its mind about these.
		e.Outcome.Status, e.Outcome.Reason = Failed, ReasonExpansionInfeasible
	}
	return e
}

// Answered are the claims once the API server was asked to grow some of them; it refused those that it said something of.
func Answered(claims []Claim, grow []string, refused map[string]string) []Claim {
	answered := slices.Clone(claims)
	for i, c := range answered {
		if slices.Contains(grow, c.Name) {
			answered[i].Denied = refused[c.Name]
			answered[i].Granted = refused[c.Name] == ""
		}
	}
	return answered
}

// tally sorts claims by how far they have come.
type tally struct {
	finished, missing, unbound, refused, denied, granted, open []string
}

// mostDenials is how many denials are told in full, and longestComplaint how long what is said of one claim may be, in bytes. A
// condition's message is not without end.
const (
	mostDenials      = 20
	longestComplaint = 300
)

// count adds a claim and tells whether its request has to be raised.
func (t *tally) count(c Claim, want resource.Quantity, stopped bool) (grow bool) {
	asked := c.Requested.Cmp(want) >= 0
	switch {
	case !c.Exists:
		t.missing = append(t.missing, c.Name)
	case c.Unbound:
		t.unbound = append(t.unbound, c.Name)
	case c.Capacity.Cmp(want) >= 0, stopped && c.FileSystemPending && asked:
		t.finished = append(t.finished, c.Name)
	case c.Denied != "":
		t.denied = append(t.denied, c.denial(len(t.denied) < mostDenials))
	case c.Granted:
		t.granted = append(t.granted, c.Name)
	case c.tooMuch(want):
		t.open = append(t.open, c.report())
		return true
	case asked && c.Infeasible != "":
		t.refused = append(t.refused, c.Name+": "+Clip(c.Infeasible, longestComplaint))
	default:
		t.open = append(t.open, c.report())
		return !asked
	}
	return false
}

// tooMuch tells whether the claim was asked to grow further than is wanted now, and could not: it may be asked for less
// again, down to what it has (KEP-1790). One that is still on its way is left alone.
func (c Claim) tooMuch(want resource.Quantity) bool {
	return c.Requested.Cmp(want) > 0 && (c.Infeasible != "" || c.Trouble != "")
}

func (c Claim) denial(full bool) string {
	if !full {
		return c.Name
	}
	return c.Name + ": " + Clip(c.Denied, longestComplaint)
}

// report says how far a claim has come.
func (c Claim) report() string {
	text := c.Name + " has " + c.Capacity.String()
	switch {
	case c.Trouble != "":
		text += " (" + Clip(c.Trouble, longestComplaint) + ")"
	case c.FileSystemPending:
		text += " (its file system grows when the pod starts anew)"
	}
	return text
}

func (t *tally) report(all int, want resource.Quantity) string {
	parts := []string{fmt.Sprintf("%d of %d claims have %s", len(t.finished), all, want.String())}
	if some := len(t.finished); some > 0 && some < all {
		parts[0] += ": " + strings.Join(t.finished, ", ")
	}
	for _, part := range []struct {
		title  string
		claims []string
	}{{"missing", t.missing}, {"without a volume yet", t.unbound}, {"refused by the storage", t.refused}, {"refused by the API server", t.denied},
		{"granted", t.granted}, {"growing", t.open}} {
		if len(part.claims) > 0 {
			parts = append(parts, part.title+": "+strings.Join(part.claims, ", "))
		}
	}
	return strings.Join(parts, "; ")
}
