package certs

import (
	"fmt"
	"math"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// ReasonTriggered is the reason of an Issuing condition that asks for a certificate to be issued once more; cert-manager's
// own command line tool uses the same.
const ReasonTriggered = "ManuallyTriggered"

// Record is what a Certificate had been through when an operation began.
type Record struct {
	UID types.UID `json:"uid,omitempty"`
	// Revision counts its issuances, Failures the failed attempts since the last of them.
	Revision int `json:"revision,omitempty"`
	Failures int `json:"failures,omitempty"`
	// Failed is when an attempt failed last.
	Failed *metav1.Time `json:"failed,omitempty"`
	// Reissue says that the operation wants one more issuance, which cert-manager does not start by itself.
	Reissue bool `json:"reissue,omitempty"`
}

// RecordOf takes the record of a Certificate; nil stands for one that does not exist.
func RecordOf(c *cmv1.Certificate) Record {
	if c == nil {
		return Record{}
	}
	return Record{UID: c.UID, Revision: ptr.Deref(c.Status.Revision, 0), Failures: ptr.Deref(c.Status.FailedIssuanceAttempts, 0), Failed: c.Status.LastFailureTime}
}

// Progress is how far an issuance is.
type Progress int

// What a look at a Certificate can find.
const (
	// Waiting for cert-manager.
	Waiting Progress = iota
	// Trigger it: cert-manager will not issue by itself.
	Trigger
	// Issued, and as its spec asks.
	Issued
	// Failed in this attempt.
	Failed
)

// Look tells how far the issuance of a Certificate is since the record was taken, and in cert-manager's words why it is
// not further. attempts is how many failures have been answered with another try already.
//
// It remembers nothing: an issuance is over when the revision is above the recorded one, and an attempt has failed when
// there are more failures than were recorded and answered. So a Certificate is never triggered twice in one attempt,
// whoever crashes. One that was deleted and made again starts from nothing.
func Look(c *cmv1.Certificate, r Record, attempts int) (Progress, string) {
	if c.UID != r.UID {
		r = Record{Reissue: r.Reissue}
	}
	issuing, ready := condition(c, cmv1.CertificateConditionIssuing), condition(c, cmv1.CertificateConditionReady)
	if issuing.Status == cmmeta.ConditionTrue {
		return Waiting, issuing.Message
	}
	missing := r.Reissue && ptr.Deref(c.Status.Revision, 0) <= r.Revision
	if !missing && Ready(c) {
		return Issued, ""
	}
	failures := failures(c, r)
	failed := issuing.Status == cmmeta.ConditionFalse
	switch {
	case failed && failures > attempts:
		return Failed, issuing.Message
	case missing:
		return Trigger, ""
	case ready.ObservedGeneration != c.Generation:
		return Waiting, "cert-manager has not seen it yet"
	case failed:
		// It failed before this attempt, and cert-manager rests for an hour or more before it tries again.
		return Trigger, ""
	}
	return Waiting, ready.Message
}

// failures since the record was taken.
func failures(c *cmv1.Certificate, r Record) int {
	n, before := ptr.Deref(c.Status.FailedIssuanceAttempts, 0), r.Failures
	if ptr.Deref(c.Status.Revision, 0) != r.Revision {
		before = 0 // a success in between has reset the count
	}
	if c.Status.FailedIssuanceAttempts == nil && c.Status.LastFailureTime != nil && !c.Status.LastFailureTime.Equal(r.Failed) {
		return math.MaxInt // a cert-manager that does not count: nothing is tried twice
	}
	return n - before
}

// Ready tells whether the Certificate is issued as its present spec asks and nothing is under way.
func Ready(c *cmv1.Certificate) bool { return Valid(c) && Issuing(c) == nil }

// Valid tells whether the Certificate is issued as its present spec asks. It stays so while it is being renewed.
func Valid(c *cmv1.Certificate) bool {
	ready := condition(c, cmv1.CertificateConditionReady)
	return ready.Status == cmmeta.ConditionTrue && ready.ObservedGeneration == c.Generation
}

// Holds tells whether a Secret holds what the Certificate's status tells of, and not what comes after that: cert-manager writes the
// Secret first.
func Holds(secret map[string][]byte, c *cmv1.Certificate) bool {
	chain, err := Parse(secret[keyChain])
	before, after := c.Status.NotBefore, c.Status.NotAfter
	return err == nil && len(chain) > 0 && before != nil && after != nil && chain[0].NotBefore.Equal(before.Time) && chain[0].NotAfter.Equal(after.Time)
}

// Issuing returns since when an issuance is under way; nil when none is.
func Issuing(c *cmv1.Certificate) *metav1.Time {
	if issuing := condition(c, cmv1.CertificateConditionIssuing); issuing.Status == cmmeta.ConditionTrue {
		return issuing.LastTransitionTime
	}
	return nil
}

// Account is what cert-manager says about a Certificate that is not ready.
func Account(c *cmv1.Certificate) string {
	issuing, ready := condition(c, cmv1.CertificateConditionIssuing), condition(c, cmv1.CertificateConditionReady)
	switch {
	case issuing.Status == cmmeta.ConditionFalse && issuing.Message != "":
		return issuing.Message
	case ready.Message != "":
		return ready.Message
	case issuing.Message != "":
		return issuing.Message
	}
	return "cert-manager has not seen it yet"
}

func condition(c *cmv1.Certificate, kind cmv1.CertificateConditionType) cmv1.CertificateCondition {
	for _, candidate := range c.Status.Conditions {
		if candidate.Type == kind {
			return candidate
		}
	}
	return cmv1.CertificateCondition{}
}

// Triggered returns the Certificate with the condition that makes cert-manager issue it once more.
func Triggered(c *cmv1.Certificate, why string, now metav1.Time) *cmv1.Certificate {
	c = c.DeepCopy()
	asked := cmv1.CertificateCondition{
		Type: cmv1.CertificateConditionIssuing, Status: cmmeta.ConditionTrue, Reason: ReasonTriggered,
		Message: why, LastTransitionTime: &now, ObservedGeneration: c.Generation,
	}
	for i := range c.Status.Conditions {
		if c.Status.Conditions[i].Type == asked.Type {
			c.Status.Conditions[i] = asked
			return c
		}
	}
	c.Status.Conditions = append(c.Status.Conditions, asked)
	return c
}

// Version names one issuance of one Certificate; it is empty before the first.
func Version(c *cmv1.Certificate) string {
	if ptr.Deref(c.Status.Revision, 0) == 0 {
		return ""
	}
	return fmt.Sprintf("%s/%d", c.UID[:min(8, len(c.UID))], *c.Status.Revision)
}
