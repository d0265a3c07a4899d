//go:build lab && faults

package faults

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// custom is what operations have made of a database, before and after a case. Cases of one dock follow each other so that
// each finds what it needs.
type custom string

const (
	plain  custom = "plain"  // none
	inline custom = "inline" // applyConfig only
	both   custom = "both"   // applyConfig, and a Secret

	secured custom = "secured" // TLS by the first authority
	strict  custom = "strict"  // that, and nobody may connect without it
	moved   custom = "moved"   // TLS by the second authority
	titled  custom = "titled"  // that, with certificates of another subject and more names
)

func (c custom) hasTLS() bool { return c != plain && c != inline && c != both }

// scenario is one operation in one variant. A new one is one entry in the table.
type scenario struct {
	name string
	kind opsv1.OpsType
	// from and to are what the database is before and after.
	from, to custom
	// only is the kind of databases that can do it; empty for all.
	only string
	// restarts tells which groups' pods restart once; nil for none.
	restarts func(sample) []group
	// only the last pod restarts, not the groups.
	lastPod bool
	// twice is true when each of these pods restarts twice: to trust a new authority and to use it, or there and back.
	twice bool
	// fails is true when the request asks for what does not work, so that all of it is undone.
	fails bool
	// grows is true when every volume grows.
	grows bool
	// once is true when the request makes no sense any more after the spec has been edited.
	once bool
	// rules are those by which the fake nodes misbehave meanwhile.
	rules []string
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
		name: "Reconfigure-undone", kind: opsv1.Reconfigure, from: plain, to: plain,
		restarts: firstGroup, lastPod: true, twice: true, fails: true,
		ask: once(reconfiguring(func(s sample, _ variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{
				"more.cnf": fmt.Sprintf("[%s]\nlab_refuse_to_start = 1\n", s.section), // what the lab's pods trip over
			}}
		})),
	},
	{
		name: "VolumeExpansion-online", kind: opsv1.VolumeExpansion, from: plain, to: plain, grows: true, once: true,
		ask: expanding(opsv1.ModeOnline),
	},
	{
		name: "VolumeExpansion-offline", kind: opsv1.VolumeExpansion, from: plain, to: plain, restarts: everyGroup,
		grows: true, once: true, ask: expanding(opsv1.ModeOffline),
	},
	{
		name: "ReconfigureTLS-add", kind: opsv1.ReconfigureTLS, from: plain, to: secured, restarts: everyGroup,
		ask: securing(by(firstAuthority)),
	},
	{
		name: "ReconfigureTLS-undone", kind: opsv1.ReconfigureTLS, from: plain, to: plain,
		restarts: firstGroup, lastPod: true, twice: true, fails: true, ask: once(securing(by(firstAuthority))),
		rules: []string{`{pod: "*", refuseSecret: "*-tls-*"}`},
	},
	{
		name: "ReconfigureTLS-requireSSL", kind: opsv1.ReconfigureTLS, from: secured, to: strict, only: "PerconaXtraDB",
		restarts: everyGroup, ask: requiring(true),
	},
	{
		name: "ReconfigureTLS-acceptAll", kind: opsv1.ReconfigureTLS, from: strict, to: secured, only: "PerconaXtraDB",
		restarts: everyGroup, ask: requiring(false),
	},
	{
		name: "ReconfigureTLS-rotate", kind: opsv1.ReconfigureTLS, from: secured, to: secured, restarts: everyGroup,
		ask: securing(opsv1.TLSSpec{RotateCertificates: true}),
	},
	{
		name: "ReconfigureTLS-issuer", kind: opsv1.ReconfigureTLS, from: secured, to: moved, restarts: everyGroup, twice: true,
		ask: securing(by(secondAuthority)),
	},
	{
		name: "ReconfigureTLS-update", kind: opsv1.ReconfigureTLS, from: moved, to: titled, restarts: everyGroup,
		ask: securing(opsv1.TLSSpec{TLSConfig: kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{
			{Alias: "server", Subject: &kubedbv1.X509Subject{Organizations: []string{"drydock:server"}}, DNSNames: []string{"db.example.com"}},
			{Alias: "client", Subject: &kubedbv1.X509Subject{Organizations: []string{"drydock:client"}}},
		}}}),
	},
	{
		name: "ReconfigureTLS-remove", kind: opsv1.ReconfigureTLS, from: titled, to: plain, restarts: everyGroup, once: true,
		ask: securing(opsv1.TLSSpec{Remove: true}),
	},
}

// end is how the request ends.
func (s scenario) end() opsv1.OpsPhase {
	if s.fails {
		return opsv1.PhaseFailed
	}
	return opsv1.PhaseSuccessful
}

// restarting are the pods that restart.
func (s scenario) restarting(of sample) []string {
	if s.restarts == nil {
		return nil
	}
	all := pods(s.restarts(of))
	if s.lastPod {
		return all[len(all)-1:]
	}
	return all
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

// once asks for no retries.
func once(ask func(sample, variables, any)) func(sample, variables, any) {
	return func(s sample, v variables, request any) {
		ask(s, v, request)
		switch r := request.(type) {
		case *opsv1.PerconaXtraDBOpsRequest:
			r.Spec.MaxRetries = new(int32(0))
		case *opsv1.SinglestoreOpsRequest:
			r.Spec.MaxRetries = new(int32(0))
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

// possible are the scenarios that the sample can go through.
func (s sample) possible() []scenario {
	return slices.DeleteFunc(slices.Clone(scenarios), func(sc scenario) bool {
		return sc.only != "" && sc.only != s.engine.Kind().Database.Kind
	})
}
