// Package tls proves the TLS of databases on a running lab, with cert-manager's own controllers: every variant of
// ReconfigureTLS on both kinds, TLS from birth, renewals, and what happens when something is in the way.
//
// Beside what a spec looks at, one thing is checked at every event of every spec: no two pods that are Ready at the same
// time present certificates that the other does not trust.
package tls
