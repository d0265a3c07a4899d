// Package acceptance holds the suites that run against a lab: a real API server, real controllers, fake nodes. Run them
// with `make test`, or with `go test -tags lab ./test/acceptance` when a lab is up and DRYDOCK_LAB names its folder.
package acceptance
