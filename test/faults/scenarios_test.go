//go:build lab

package faults

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
)

// custom is the configuration that a database has before and after a case. Cases of one dock follow each other so
// that each finds what it needs.
type custom string

const (
	plain  custom = "plain"  // none
	inline custom = "inline" // applyConfig only
	both   custom = "both"   // applyConfig, and a Secret
)

// scenario is one operation in one variant. A new one is one entry in the table.
type scenario struct {
	name string
	kind opsv1.OpsType
	// from and to are the custom configuration of the first group before and after.
	from, to custom
	// restarts tells which groups' pods restart once; nil for none.
	restarts func(sample) []group
	// recreates is true when the workloads are deleted and made again on the way.
	recreates bool
	// grows is true when every volume grows.
	grows bool
	// ask fills in the request.
	ask func(s sample, v variables, spec any)
}

// variables differ from case to case, so that each changes something.
type variables struct {
	// setting is the value that applyConfig sets.
	setting string
	// size of the volumes in Gi, after an expansion.
	size int
}

func everyGroup(s sample) []group { return s.groups }
func firstGroup(s sample) []group { return s.groups[:1] }

var scenarios = []scenario{
	{name: "Restart", kind: opsv1.Restart, from: plain, to: plain, restarts: everyGroup, ask: func(sample, variables, any) {}},
	{
		name: "Reconfigure-merge", kind: opsv1.Reconfigure, from: plain, to: inline, restarts: firstGroup,
		ask: reconfiguring(func(s sample, v variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{
				"more.cnf": fmt.Sprintf("[%s]\ntable_open_cache = %s\n", s.section, v.setting),
			}}
		}),
	},
	{
		name: "Reconfigure-replace", kind: opsv1.Reconfigure, from: inline, to: both, restarts: firstGroup,
		ask: reconfiguring(func(sample, variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{ConfigSecret: &corev1.LocalObjectReference{Name: userConfig}}
		}),
	},
	{
		name: "Reconfigure-remove", kind: opsv1.Reconfigure, from: both, to: plain, restarts: firstGroup,
		ask: reconfiguring(func(sample, variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{RemoveCustomConfig: true}
		}),
	},
	{
		name: "VolumeExpansion-online", kind: opsv1.VolumeExpansion, from: plain, to: plain, recreates: true, grows: true,
		ask: expanding(opsv1.ModeOnline),
	},
	{
		name: "VolumeExpansion-offline", kind: opsv1.VolumeExpansion, from: plain, to: plain, restarts: everyGroup, recreates: true,
		grows: true, ask: expanding(opsv1.ModeOffline),
	},
}

// named returns the scenario of that name.
func named(name string) scenario {
	for _, s := range scenarios {
		if s.name == name {
			return s
		}
	}
	panic("there is no scenario " + name)
}

// reconfiguring asks for a change of the first group's configuration.
func reconfiguring(change func(sample, variables) opsv1.ReconfigurationSpec) func(sample, variables, any) {
	return func(s sample, v variables, request any) {
		c := change(s, v)
		switch r := request.(type) {
		case *opsv1.PerconaXtraDBOpsRequest:
			r.Spec.Configuration = &c
		case *opsv1.SinglestoreOpsRequest:
			r.Spec.Configuration = &opsv1.SinglestoreReconfiguration{Node: &c}
			if len(s.groups) > 1 {
				r.Spec.Configuration = &opsv1.SinglestoreReconfiguration{Leaf: &c}
			}
		}
	}
}

// expanding asks for larger volumes everywhere.
func expanding(mode opsv1.VolumeExpansionMode) func(sample, variables, any) {
	return func(s sample, v variables, request any) {
		size := gibibytes(v.size)
		switch r := request.(type) {
		case *opsv1.PerconaXtraDBOpsRequest:
			r.Spec.VolumeExpansion = &opsv1.PerconaXtraDBVolumeExpansion{Mode: mode, PerconaXtraDB: &size}
		case *opsv1.SinglestoreOpsRequest:
			r.Spec.VolumeExpansion = &opsv1.SinglestoreVolumeExpansion{Mode: mode, Node: &size}
			if len(s.groups) > 1 {
				r.Spec.VolumeExpansion = &opsv1.SinglestoreVolumeExpansion{Mode: mode, Aggregator: &size, Leaf: &size}
			}
		}
	}
}

// implemented are the scenarios that this version of the operator carries out.
func implemented() []scenario {
	var list []scenario
	for _, s := range scenarios {
		if ops.Implemented(s.kind) {
			list = append(list, s)
		}
	}
	return list
}
