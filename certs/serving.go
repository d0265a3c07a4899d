// Package certs holds certificates as values: what to ask cert-manager for, and the webhook server's own certificate.
// It decides and builds; it never talks to a cluster.
package certs

import (
	"crypto/x509"
	"slices"
	"time"
)

// Lifetimes of the webhook server's certificates. They need no knob: nobody but the API server sees them.
const (
	// AuthorityLife is how long an authority is valid.
	AuthorityLife = 365 * 24 * time.Hour
	// AuthorityOverlap is how long before an authority's end its successor is introduced.
	AuthorityOverlap = AuthorityLife / 3
	// AuthorityPublished is how long a successor is only trusted before it signs: time for every API server to read the
	// new bundle, with plenty of room for one that cannot for a while.
	AuthorityPublished = 24 * time.Hour
	// LeafLife is how long the certificate that a replica serves is valid. It lives in memory only.
	LeafLife = 7 * 24 * time.Hour
	// clockSkew is how far clocks may differ.
	clockSkew = 10 * time.Minute
)

// ServingPlan is what to do with the stored authorities.
type ServingPlan struct {
	// Keep are the authorities to trust, oldest first; those that nothing needs any more are left out.
	Keep []Authority
	// Changed says that Keep is shorter than what was stored.
	Changed bool
	// Introduce says that a new authority has to be made and published.
	Introduce bool
	// Next is when the plan for the same authorities will be another one; zero when Introduce is set.
	Next time.Time
}

// PlanServing decides from the time and the stored authorities alone, so that all replicas decide the same without
// talking to each other. The life of an authority: it is introduced when its predecessor has a third of its life left;
// it is trusted but does not sign for AuthorityPublished; it signs; when a successor has signed for LeafLife, nothing
// served can be its work any more, and it goes.
func PlanServing(now time.Time, stored []Authority) ServingPlan {
	ordered := byAge(stored)
	var plan ServingPlan
	for i, a := range ordered {
		end := a.end(ordered[i+1:])
		if now.Before(end) {
			plan.Keep = append(plan.Keep, a)
			plan.Next = earliest(plan.Next, end)
		}
	}
	plan.Changed = len(plan.Keep) < len(stored)
	if len(plan.Keep) == 0 {
		return ServingPlan{Introduce: true, Changed: plan.Changed}
	}
	newest := plan.Keep[len(plan.Keep)-1]
	successor := newest.Certificate.NotAfter.Add(-AuthorityOverlap)
	if !now.Before(successor) {
		plan.Introduce, plan.Next = true, time.Time{}
		return plan
	}
	plan.Next = earliest(plan.Next, successor)
	return plan
}

// Signer is the authority that signs now: the newest that has been published for long enough, else the oldest there is
// (on a first start there is no other). ok is false without any.
func Signer(now time.Time, authorities []Authority) (signer Authority, ok bool) {
	for _, a := range byAge(authorities) {
		if !now.Before(a.Certificate.NotAfter) {
			continue
		}
		if published := !now.Before(a.introduced().Add(AuthorityPublished)); !ok || published {
			signer, ok = a, true
		}
	}
	return signer, ok
}

// byAge is a copy with the oldest first.
func byAge(authorities []Authority) []Authority {
	ordered := slices.Clone(authorities)
	slices.SortStableFunc(ordered, func(a, b Authority) int { return a.introduced().Compare(b.introduced()) })
	return ordered
}

// LeafDue says whether the served certificate has to be replaced: when two thirds of its life are over, or when what
// signed it is no longer trusted.
func LeafDue(now time.Time, leaf *x509.Certificate, trusted []Authority) bool {
	if leaf == nil || !now.Before(LeafRenewal(leaf)) {
		return true
	}
	return !slices.ContainsFunc(trusted, func(a Authority) bool { return leaf.CheckSignatureFrom(a.Certificate) == nil })
}

// LeafRenewal is when two thirds of a certificate's life are over.
func LeafRenewal(leaf *x509.Certificate) time.Time {
	return leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) * 2 / 3)
}

// introduced is when the authority was made; its certificate is valid a little earlier, for clocks that are behind.
func (a Authority) introduced() time.Time { return a.Certificate.NotBefore.Add(clockSkew) }

// end is when the authority is of no use any more, given those that came after it.
func (a Authority) end(successors []Authority) time.Time {
	end := a.Certificate.NotAfter
	if len(successors) > 0 {
		end = earliest(end, successors[0].introduced().Add(AuthorityPublished+LeafLife+clockSkew))
	}
	return end
}

// earliest is the earlier of two times, of which zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
