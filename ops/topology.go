package ops

import (
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Topology is a database's groups, in the order in which operations restart them.
type Topology struct {
	Database string
	Groups   []Group
}

// Group is a set of alike pods that one workload runs.
type Group struct {
	// Name is the word that the API's sections use: node, aggregator, leaf, perconaxtradb.
	Name string
	// Title goes into condition types, for example Leaf in RestartLeafPods. It is empty when the kind has one group only.
	Title string
	// Workload is the name of the StatefulSet or PetSet.
	Workload string
	Replicas int32
	// Storage is the size that the database's spec asks for; nil when the group keeps no claims.
	Storage *resource.Quantity
}

// Pod returns the name of the pod with that ordinal.
func (g Group) Pod(ordinal int32) string { return g.Workload + "-" + strconv.Itoa(int(ordinal)) }

// Claim returns the name of the claim of the pod with that ordinal.
func (g Group) Claim(ordinal int32) string { return "data-" + g.Pod(ordinal) }

// Group returns the group of that name, and whether there is one.
func (t Topology) Group(name string) (Group, bool) {
	for _, g := range t.Groups {
		if g.Name == name {
			return g, true
		}
	}
	return Group{}, false
}
