package ops

import (
	"fmt"
	"maps"
	"slices"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// planner compiles one operation. Its checks have been made: every group it can name is in the topology.
type planner func(Request, Change) Plan

// planners is the table of operations: a new operation is one file and one line here.
var planners = map[opsv1.OpsType]planner{
	opsv1.Restart:         planRestart,
	opsv1.Reconfigure:     planReconfigure,
	opsv1.ReconfigureTLS:  planReconfigureTLS,
	opsv1.VolumeExpansion: planVolumeExpansion,
}

// Implemented tells whether this version carries out operations of that type.
func Implemented(t opsv1.OpsType) bool {
	_, ok := planners[t]
	return ok
}

// Types are the operations that this version carries out, in order of their names.
func Types() []opsv1.OpsType { return slices.Sorted(maps.Keys(planners)) }

// MakePlan compiles a request to steps. It is a function of the request and of what was saved when the operation
// started, never of what the operation alters, so that planning again gives the same plan. It fails on a type that is
// not an operation here and on groups that the database does not have.
func MakePlan(r Request, c Change) (Plan, error) {
	plan, ok := planners[r.Type]
	if !ok {
		return Plan{}, fmt.Errorf("there is no plan for operation type %q", r.Type)
	}
	if len(c.Topology.Groups) == 0 {
		return Plan{}, fmt.Errorf("database %q has no groups of pods", c.Topology.Database)
	}
	named := []string{}
	for _, set := range []map[string]bool{c.Templates, c.Rolls} {
		for name := range set {
			named = append(named, name)
		}
	}
	for name := range r.Volumes {
		named = append(named, name)
		if g, ok := c.Topology.Group(name); ok && g.Storage == nil {
			return Plan{}, fmt.Errorf("group %q of database %q keeps no volumes", name, c.Topology.Database)
		}
	}
	slices.Sort(named)
	for _, name := range named {
		if _, ok := c.Topology.Group(name); !ok {
			return Plan{}, fmt.Errorf("database %q has no group %q", c.Topology.Database, name)
		}
	}
	return plan(r, c), nil
}

// everywhere is the change of an operation that changes and restarts every group.
func (c Change) everywhere() Change {
	all := make(map[string]bool, len(c.Topology.Groups))
	for _, g := range c.Topology.Groups {
		all[g.Name] = true
	}
	c.Templates, c.Rolls = all, all
	return c
}

// groups returns the groups of that set, in the order in which operations restart them.
func (t Topology) groups(set map[string]bool) []Group {
	var picked []Group
	for _, g := range t.Groups {
		if set[g.Name] {
			picked = append(picked, g)
		}
	}
	return picked
}

func names(groups []Group) []string {
	all := make([]string, len(groups))
	for i, g := range groups {
		all[i] = g.Name
	}
	return all
}

// pods is the number of pods of those groups.
func pods(groups []Group) int {
	n := 0
	for _, g := range groups {
		n += int(g.Replicas)
	}
	return n
}
