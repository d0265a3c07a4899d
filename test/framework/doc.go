// Package framework is what the suites and the benchmarks share: a connection to a running lab, a recorder of
// everything that happens in a namespace, and the invariants that must hold at every event of every spec.
//
// Nothing here asks the operator. Order, exactly-once and the invariants are read from watch events of the API server.
package framework
