// Package admit is the one admission: what it refuses, the webhook refuses and the controller refuses too.
//
// It goes in steps: the shape of the object, then every fact that a rule needs, fetched once, then the rules, which are
// small functions from values to errors. It writes nothing, so a dry run gets the same answer.
package admit

import (
	"context"
	"reflect"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// IndexDatabase is the name of the cache index of requests by the name of their database, and also what the API server selects by.
const IndexDatabase = "spec.databaseRef.name"

// Config is what admission works with.
type Config struct {
	// Reader answers for everything that is looked at. Databases, requests (with the index IndexDatabase), the catalog,
	// issuers, claims, StorageClasses and quotas are watched; Secrets are read from the API server.
	Reader client.Reader
	// Live is the API server. It is asked before something is said to be missing, or a database to be of no use: caches are behind
	// when objects are applied together. Without it the Reader has the last word.
	Live client.Reader
	// Access says what a requester may do.
	Access Authorizer
	// Operator is the username of the operator itself, which edits databases while they are paused.
	Operator string
	// AllowedClusterIssuers may be used by everybody; for any other a requester needs the right to use it.
	AllowedClusterIssuers []string
	// NoCertManager tells that there was no cert-manager when the operator started, so that it issues no certificates.
	NoCertManager bool
	// Placement tells that the workloads act on a podPlacementPolicy.
	Placement bool
}

// Admission decides about databases and requests. It is safe for concurrent use.
type Admission struct{ config Config }

// New returns an admission.
func New(c Config) *Admission { return &Admission{config: c} }

// Verdict is what admission says about an object.
type Verdict struct {
	// Warnings are for the person who sent the object; it is admitted all the same.
	Warnings []string
	// Errors are everything that is wrong with it. Without any it is admitted.
	Errors field.ErrorList
}

// byOperator tells whether the operator itself is asking.
func (a *Admission) byOperator(who authenticationv1.UserInfo) bool {
	return a.config.Operator != "" && who.Username == a.config.Operator
}

// check runs a table of rules and collects what they find, in the table's order.
func check[T any](about T, rules ...func(T) field.ErrorList) field.ErrorList {
	var errs field.ErrorList
	for _, rule := range rules {
		errs = append(errs, rule(about)...)
	}
	return errs
}

// advise runs a table of functions that find something worth a warning.
func advise[T any](about T, hints ...func(T) []string) []string {
	var warnings []string
	for _, hint := range hints {
		for _, w := range hint(about) {
			if !slices.Contains(warnings, w) {
				warnings = append(warnings, w)
			}
		}
	}
	return warnings
}

// reader bundles what the fetching of facts for one object needs.
type reader struct {
	*Admission
	ctx       context.Context //nolint:containedctx // lives for one call
	namespace string
	who       authenticationv1.UserInfo
}

// SameSpec tells whether an edit leaves the spec alone.
func SameSpec(object, old any) bool {
	now, was := specOf(object), specOf(old)
	// Most are the same in every bit, which is cheaper to see than that they mean the same.
	return reflect.DeepEqual(now, was) || equality.Semantic.DeepEqual(now, was)
}
