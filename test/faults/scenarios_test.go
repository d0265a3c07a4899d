//go:build lab && faults

package faults

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
)

// custom is what operations have made of a database, before and after a case. Cases of one dock follow each other so that
// each finds what it needs.
type custom string

const (
	plain  custom = "plain"  // none
	inline custom = "inline" // applyConfig only
	both   custom = "both"   // applyConfig, and a Secret
	later  custom = "later"  // applyConfig that no pod runs yet

	own     custom = "own"     // TLS by an authority of the database's own
	named   custom = "named"   // TLS by the first authority, with its own trusted still
	secured custom = "secured" // TLS by the first authority
	renewed custom = "renewed" // that, and certificates that were issued since the pods started
	strict  custom = "strict"  // TLS by the first authority, and nobody may connect without it
	moved   custom = "moved"   // TLS by the second authority
	titled  custom = "titled"  // that, with certificates of another subject and more names
)

func (c custom) hasTLS() bool { return c != plain && c != inline && c != both && c != later }

// scenario is one operation in one variant. A new one is one entry in the table.
type scenario struct {
	name string
	kind opsv1.OpsType
	// from and to are what the database is before and after.
	from, to custom
	// only is the kind of databases that can do it; empty for all.
	only string
	// restarts tells how often each pod restarts, by name; nil for never. Twice is to trust a new authority and to use it, or
	// there and back.
	restarts func(sample) map[string]int
	// fails is true when the request asks for what does not work, so that all of it is undone.
	fails bool
	// grows is true when every volume is to grow.
	grows bool
	// once is true when the request makes no sense any more after the spec has been edited.
	once bool
	// edit changes the database before the request is made, as its owner would.
	edit func(engines.Database)
	// rules are those by which the fake nodes misbehave meanwhile.
	rules []string
	// thin is how many points of a fault there are for each that is tried; 0 for one. For what differs from another scenario in a
	// detail.
	thin int
	// correct is what to ask for instead where the scenario fails.
	correct func(s sample, v variables, spec any)
	// ask fills in the request.
	ask func(s sample, v variables, spec any)
}

// few is how much is thinned out what differs in a detail from what is tried at every point.
const few = 8

// variables differ from case to case, so that each changes something.
type variables struct {
	// setting is the value that applyConfig sets.
	setting string
	// size of the volumes in Gi, after an expansion.
	size int
}

// every pod restarts that often.
func every(times int) func(sample) map[string]int {
	return func(s sample) map[string]int { return count(pods(s.groups), times) }
}

// first are the pods of the first group.
func first(times int) func(sample) map[string]int {
	return func(s sample) map[string]int { return count(pods(s.groups[:1]), times) }
}

// last is the last pod of the first group, which an operation begins with.
func last(times int) func(sample) map[string]int {
	return func(s sample) map[string]int { return count(pods(s.groups[:1])[s.groups[0].replicas-1:], times) }
}

func count(pods []string, times int) map[string]int {
	counts := map[string]int{}
	for _, pod := range pods {
		counts[pod] = times
	}
	return counts
}

// turnedBack: every pod comes to trust a new authority and goes back; the last one tries its certificate, and trusts both on its
// way back too.
func turnedBack(s sample) map[string]int {
	counts := every(2)(s)
	maps.Copy(counts, last(4)(s))
	return counts
}

var scenarios = []scenario{
	{name: "Restart", kind: opsv1.Restart, from: plain, to: plain, restarts: every(1), ask: func(sample, variables, any) {}},
	{
		name: "Reconfigure-merge", kind: opsv1.Reconfigure, from: plain, to: inline, restarts: first(1),
		ask: reconfiguring(func(s sample, v variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{ApplyConfig: map[string]string{
				"more.cnf": fmt.Sprintf("[%s]\ntable_open_cache = %s\n", s.section, v.setting),
			}}
		}),
	},
	{
		name: "Reconfigure-replace", kind: opsv1.Reconfigure, from: inline, to: both, restarts: first(1),
		ask: reconfiguring(func(sample, variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{ConfigSecret: &corev1.LocalObjectReference{Name: userConfig}}
		}),
	},
	{
		name: "Reconfigure-remove", kind: opsv1.Reconfigure, from: both, to: plain, restarts: first(1),
		ask: reconfiguring(func(sample, variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{RemoveCustomConfig: true}
		}),
	},
	{
		name: "Reconfigure-again", kind: opsv1.Reconfigure, from: both, to: both, restarts: first(1), thin: few,
		ask: reconfiguring(func(sample, variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{Restart: opsv1.RestartTrue, ConfigSecret: &corev1.LocalObjectReference{Name: userConfig}}
		}),
	},
	{
		name: "Reconfigure-later", kind: opsv1.Reconfigure, from: plain, to: later, thin: few,
		ask: reconfiguring(func(s sample, v variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{Restart: opsv1.RestartFalse, ApplyConfig: map[string]string{
				"more.cnf": fmt.Sprintf("[%s]\ntable_open_cache = %s\n", s.section, v.setting),
			}}
		}),
	},
	{
		name: "Restart-later", kind: opsv1.Restart, from: later, to: inline, restarts: every(1), thin: few,
		ask: func(sample, variables, any) {},
	},
	{
		name: "Reconfigure-undone", kind: opsv1.Reconfigure, from: plain, to: plain,
		restarts: last(2), fails: true,
		correct: reconfiguring(func(sample, variables) opsv1.ReconfigurationSpec {
			return opsv1.ReconfigurationSpec{RemoveCustomConfig: true}
		}),
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
		name: "VolumeExpansion-offline", kind: opsv1.VolumeExpansion, from: plain, to: plain, restarts: every(1),
		grows: true, once: true, ask: expanding(opsv1.ModeOffline),
	},
	{
		name: "VolumeExpansion-refused", thin: few, kind: opsv1.VolumeExpansion, from: plain, to: plain, restarts: first(1),
		grows: true, fails: true, ask: once(expanding(opsv1.ModeOffline)), correct: expanding(opsv1.ModeOnline),
		rules: []string{`{claim: "data-*-0", resize: infeasible}`},
	},
	{
		name: "Restart-managed", kind: opsv1.Restart, from: plain, to: own, restarts: every(1), thin: few, edit: managed,
		ask: func(sample, variables, any) {},
	},
	{
		name: "ReconfigureTLS-named", kind: opsv1.ReconfigureTLS, from: own, to: named, restarts: every(2), thin: few,
		ask: securing(by(firstAuthority)),
	},
	{
		name: "Restart-named", kind: opsv1.Restart, from: named, to: secured, restarts: every(1), thin: few,
		ask: func(sample, variables, any) {},
	},
	{
		name: "ReconfigureTLS-disown", kind: opsv1.ReconfigureTLS, from: own, to: plain, restarts: every(1), thin: few,
		once: true, ask: securing(opsv1.TLSSpec{Remove: true}),
	},
	{
		name: "ReconfigureTLS-add", kind: opsv1.ReconfigureTLS, from: plain, to: secured, restarts: every(1),
		ask: securing(by(firstAuthority)),
	},
	{
		name: "ReconfigureTLS-undone", kind: opsv1.ReconfigureTLS, from: plain, to: plain,
		restarts: last(2), fails: true, ask: once(securing(by(firstAuthority))), correct: securing(by(firstAuthority)),
		rules: []string{`{pod: "*", refuseSecret: "*-tls-*"}`},
	},
	{
		name: "ReconfigureTLS-strict", thin: few, kind: opsv1.ReconfigureTLS, from: plain, to: strict, only: "PerconaXtraDB",
		restarts: every(2), ask: together(securing(by(firstAuthority)), requiring(true)),
	},
	{
		name: "ReconfigureTLS-requireSSL", kind: opsv1.ReconfigureTLS, from: secured, to: strict, only: "PerconaXtraDB",
		restarts: every(1), ask: requiring(true),
	},
	{
		name: "ReconfigureTLS-acceptAll", kind: opsv1.ReconfigureTLS, from: strict, to: secured, only: "PerconaXtraDB",
		restarts: every(1), ask: requiring(false),
	},
	{
		name: "ReconfigureTLS-rotate", kind: opsv1.ReconfigureTLS, from: secured, to: secured, restarts: every(1),
		ask: securing(opsv1.TLSSpec{RotateCertificates: true}),
	},
	{
		name: "ReconfigureTLS-issuer", kind: opsv1.ReconfigureTLS, from: secured, to: moved, restarts: every(2),
		ask: securing(by(secondAuthority)),
	},
	{
		name: "ReconfigureTLS-returned", thin: few, kind: opsv1.ReconfigureTLS, from: secured, to: renewed, restarts: turnedBack,
		fails: true, ask: once(securing(by(secondAuthority))), correct: securing(by(firstAuthority)),
		rules: []string{`{pod: "*", refuseIssuer: ` + secondAuthority + `}`},
	},
	{
		name: "Restart-renewed", kind: opsv1.Restart, from: renewed, to: secured, restarts: every(1), thin: few,
		ask: func(sample, variables, any) {},
	},
	{
		name: "ReconfigureTLS-update", kind: opsv1.ReconfigureTLS, from: moved, to: titled, restarts: every(1),
		ask: securing(opsv1.TLSSpec{TLSConfig: kubedbv1.TLSConfig{Certificates: []kubedbv1.CertificateSpec{
			{Alias: "server", Subject: &kubedbv1.X509Subject{Organizations: []string{"drydock:server"}}, DNSNames: []string{"db.example.com"}},
			{Alias: "client", Subject: &kubedbv1.X509Subject{Organizations: []string{"drydock:client"}}},
		}}}),
	},
	{
		name: "ReconfigureTLS-remove", kind: opsv1.ReconfigureTLS, from: titled, to: plain, restarts: every(1), once: true,
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

// restarting is how often each pod restarts.
func (s scenario) restarting(of sample) map[string]int {
	if s.restarts == nil {
		return nil
	}
	return s.restarts(of)
}

// scenarioOf returns the scenario of that name.
func scenarioOf(name string) scenario {
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

// together asks for all of that.
func together(asks ...func(sample, variables, any)) func(sample, variables, any) {
	return func(s sample, v variables, request any) {
		for _, ask := range asks {
			ask(s, v, request)
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
