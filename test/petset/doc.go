// Package petset holds the suite for PetSets. It needs a lab of its own, since the operator in it makes PetSets and the
// pods are run by a stand-in inside this test:
//
//	make test-petsets
//
// The suite installs a definition of PetSets' shape and starts the operator with --workload=petset itself.
package petset
