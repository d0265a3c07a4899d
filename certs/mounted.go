package certs

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
)

// Mounted is what a workload says of the copy that its pods mount, in an annotation: enough to see without reading a
// Secret whether cert-manager has renewed anything since.
type Mounted struct {
	// Versions of the certificates, by alias.
	Versions map[string]string `json:"versions,omitempty"`
	// OldAuthority as in Exchange.
	OldAuthority bool `json:"oldAuthority,omitempty"`
}

// MountedFrom describes a copy of these certificates.
func MountedFrom(leaves []Leaf, oldAuthority bool) Mounted {
	m := Mounted{Versions: map[string]string{}, OldAuthority: oldAuthority}
	for _, leaf := range leaves {
		if v := Version(leaf.Certificate); v != "" {
			m.Versions[leaf.Alias] = v
		}
	}
	return m
}

// String is the annotation's value.
func (m Mounted) String() string {
	raw, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("strings always marshal: %v", err))
	}
	return string(raw)
}

// ParseMounted reads the annotation. What cannot be read says nothing.
func ParseMounted(annotation string) Mounted {
	var m Mounted
	if json.Unmarshal([]byte(annotation), &m) != nil {
		return Mounted{}
	}
	return m
}

// Renewed lists the aliases of which another version exists than the one that is mounted.
func (m Mounted) Renewed(leaves []Leaf) []string {
	var aliases []string
	for _, leaf := range leaves {
		if v := Version(leaf.Certificate); v != "" && v != m.Versions[leaf.Alias] {
			aliases = append(aliases, leaf.Alias)
		}
	}
	slices.Sort(aliases)
	return aliases
}

// renewalsApart is how far the renewals of certificates may be apart to be worth one restart only.
const renewalsApart = 10 * time.Minute

// Settled tells whether it is time to restart for renewed certificates: none is being issued and none is about to be.
// Otherwise it returns when to look again, if no event tells earlier. One whose renewal is overdue holds up nothing.
func Settled(leaves []Leaf, now time.Time) (settled bool, again time.Duration) {
	for _, leaf := range leaves {
		c := leaf.Certificate
		if Overdue(c, now) {
			continue
		}
		due := c.Status.RenewalTime
		if !Ready(c) || (due != nil && due.Sub(now) < renewalsApart && lasting(c)) {
			again = max(again, renewalsApart)
		}
	}
	return again == 0, again
}

// Overdue tells whether a certificate should have been renewed long ago and was not: nobody waits for it.
func Overdue(c *cmv1.Certificate, now time.Time) bool {
	due := c.Status.RenewalTime
	return due != nil && now.Sub(due.Time) > renewalsApart
}

// lasting tells whether the certificate is valid for much longer than such a wait: one that is renewed every few
// minutes would be waited for without end.
func lasting(c *cmv1.Certificate) bool {
	s := c.Status
	return s.NotBefore != nil && s.NotAfter != nil && s.NotAfter.Sub(s.NotBefore.Time) > 6*renewalsApart
}
