package ops

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

func size(text string) *resource.Quantity {
	q := resource.MustParse(text)
	return &q
}

// topologies of the kinds, as their engines describe them.
func topologies() map[string]Topology {
	return map[string]Topology{
		"singlestore-cluster": {Database: "sdb", Groups: []Group{
			{Name: "leaf", Title: "Leaf", Workload: "sdb-leaf", Replicas: 2, Storage: size("10Gi")},
			{Name: "aggregator", Title: "Aggregator", Workload: "sdb-aggregator", Replicas: 3, Storage: size("1Gi")},
		}},
		"singlestore-standalone": {Database: "one", Groups: []Group{{Name: "node", Title: "Node", Workload: "one", Replicas: 1, Storage: size("10Gi")}}},
		"perconaxtradb":          {Database: "pxc", Groups: []Group{{Name: "perconaxtradb", Workload: "pxc", Replicas: 3, Storage: size("1Gi")}}},
	}
}

func everyGroup(t Topology) map[string]bool { return Change{Topology: t}.everywhere().Rolls }

func sizes(t Topology) map[string]resource.Quantity {
	all := map[string]resource.Quantity{}
	for _, g := range t.Groups {
		all[g.Name] = resource.MustParse("20Gi")
	}
	return all
}

// planCase is one variant of an operation on one kind.
type planCase struct {
	name    string
	request Request
	change  Change
}

// variants are the plans that every kind has.
func variants(kind string, t Topology) []planCase {
	all, tls := everyGroup(t), []string{"server", "client"}
	with := func(op opsv1.OpsType, change func(*Request)) Request {
		r := Request{Type: op, Database: t.Database}
		if change != nil {
			change(&r)
		}
		return r
	}
	mode := func(m opsv1.VolumeExpansionMode) func(*Request) {
		return func(r *Request) { r.Mode, r.Volumes = m, sizes(t) }
	}
	remove := func(r *Request) { r.TLS = &TLSChange{Remove: true} }
	rotate := func(r *Request) { r.TLS = &TLSChange{Rotate: true} }
	cases := []planCase{
		{"restart", with(opsv1.Restart, nil), Change{}},
		{"reconfigure", with(opsv1.Reconfigure, nil), Change{SpecChanged: true, Templates: all, Rolls: all}},
		{"reconfigure-without-restart", with(opsv1.Reconfigure, nil), Change{SpecChanged: true}},
		{"reconfigure-restart-only", with(opsv1.Reconfigure, nil), Change{Templates: all, Rolls: all}},
		{"tls-add", with(opsv1.ReconfigureTLS, nil), Change{SpecChanged: true, Certificates: tls, AddsTLS: true}},
		// Pods that mount certificates go through Trust whatever changes: that the authority stays is not known before issuing.
		{"tls-update", with(opsv1.ReconfigureTLS, nil), Change{SpecChanged: true, Certificates: tls, TrustFirst: true}},
		{"tls-change-authority", with(opsv1.ReconfigureTLS, nil), Change{SpecChanged: true, Certificates: tls, TrustFirst: true}},
		{"tls-add-required", with(opsv1.ReconfigureTLS, nil), Change{SpecChanged: true, Certificates: tls, AddsTLS: true, TrustFirst: true}},
		{"restart-new-authority", with(opsv1.Restart, nil), Change{TrustFirst: true}},
		{"tls-rotate", with(opsv1.ReconfigureTLS, rotate), Change{Certificates: tls, TrustFirst: true}},
		{"tls-remove", with(opsv1.ReconfigureTLS, remove), Change{SpecChanged: true}},
		{"volumes-online", with(opsv1.VolumeExpansion, mode(opsv1.ModeOnline)), Change{SpecChanged: true}},
		{"volumes-offline", with(opsv1.VolumeExpansion, mode(opsv1.ModeOffline)), Change{SpecChanged: true}},
	}
	for i := range cases {
		cases[i].name = kind + "-" + cases[i].name
		cases[i].change.Topology = t
	}
	return cases
}

func planCases() []planCase {
	var all []planCase
	kinds := topologies()
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		all = append(all, variants(kind, kinds[kind])...)
	}
	cluster := kinds["singlestore-cluster"]
	leaf := map[string]bool{"leaf": true}
	// requireSSL alone changes no certificate, yet the plan is that of any change of mounted certificates: what issuing brings
	// is not known when it is made. Off differs from on by the configuration only.
	require := func(on bool) Request {
		return Request{Type: opsv1.ReconfigureTLS, Database: "pxc", TLS: &TLSChange{RequireSSL: &on}}
	}
	required := Change{Topology: kinds["perconaxtradb"], SpecChanged: true, Certificates: []string{"server", "client"}, TrustFirst: true}
	return append(all,
		// TLS that the spec has come to ask for, and to insist on, since the pods started.
		planCase{"perconaxtradb-reconfigure-required", Request{Type: opsv1.Reconfigure}, Change{
			Topology: kinds["perconaxtradb"], SpecChanged: true, TrustFirst: true,
			Templates: everyGroup(kinds["perconaxtradb"]), Rolls: everyGroup(kinds["perconaxtradb"]),
		}},
		planCase{"perconaxtradb-tls-require-ssl-on", require(true), required},
		planCase{"perconaxtradb-tls-require-ssl-off", require(false), required},
		planCase{"singlestore-cluster-reconfigure-leaf", Request{Type: opsv1.Reconfigure}, Change{Topology: cluster, SpecChanged: true, Templates: leaf, Rolls: leaf}},
		planCase{"singlestore-cluster-reconfigure-one-of-two-restarts", Request{Type: opsv1.Reconfigure},
			Change{Topology: cluster, SpecChanged: true, Templates: everyGroup(cluster), Rolls: leaf}},
		planCase{"singlestore-cluster-volumes-offline-leaf",
			Request{Type: opsv1.VolumeExpansion, Mode: opsv1.ModeOffline, Volumes: map[string]resource.Quantity{"leaf": resource.MustParse("20Gi")}},
			Change{Topology: cluster, SpecChanged: true}},
		planCase{"singlestore-cluster-volumes-online-leaf",
			Request{Type: opsv1.VolumeExpansion, Mode: opsv1.ModeOnline, Volumes: map[string]resource.Quantity{"leaf": resource.MustParse("20Gi")}},
			Change{Topology: cluster, SpecChanged: true}},
		planCase{"singlestore-cluster-volumes-offline-aggregator",
			Request{Type: opsv1.VolumeExpansion, Mode: opsv1.ModeOffline, Volumes: map[string]resource.Quantity{"aggregator": resource.MustParse("20Gi")}},
			Change{Topology: cluster, SpecChanged: true}},
	)
}

func TestPlans(t *testing.T) {
	names := map[string]bool{}
	for _, c := range planCases() {
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			plan, err := MakePlan(c.request, c.change)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "plans/"+c.name, listing(plan))
			checkPlan(t, plan)
			for range 10 {
				if again, err := MakePlan(c.request, c.change); err != nil || cmp.Diff(plan, again) != "" {
					t.Fatalf("planning again gives another plan: %v\n%s", err, cmp.Diff(plan, again))
				}
			}
		})
	}
	noStrays(t, "plans", names)
}

func listing(p Plan) string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		steps []Step
	}{{"plan", p.Steps}, {"undo", p.Undo}} {
		fmt.Fprintf(&b, "%s\n", part.title)
		for _, s := range part.steps {
			action := strings.TrimPrefix(fmt.Sprintf("%T%+v", s.Action, s.Action), "ops.")
			fmt.Fprintf(&b, "  %-34s %-55s units %d\n", s.Type, action, s.Units)
		}
	}
	return b.String()
}

// checkPlan holds every plan to what the executor and the API need of it.
func checkPlan(t *testing.T, p Plan) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range slices.Concat(p.Steps, p.Undo) {
		if seen[s.Type] {
			t.Errorf("condition type %s stands for two steps", s.Type)
		}
		seen[s.Type] = true
		if errs := validation.IsQualifiedName(s.Type); len(errs) > 0 {
			t.Errorf("%s is no condition type: %v", s.Type, errs)
		}
		if s.Units < 1 {
			t.Errorf("%s has %d units", s.Type, s.Units)
		}
		if !slices.ContainsFunc(StepTypes(), func(d StepType) bool { return d.matches(s.Type) }) {
			t.Errorf("%s is not described by StepTypes", s.Type)
		}
	}
	if _, ok := p.Steps[0].Action.(Pause); !ok {
		t.Errorf("the gate is not closed first but %T", p.Steps[0].Action)
	}
	if r, ok := p.Steps[len(p.Steps)-1].Action.(Resume); !ok || r.Undo {
		t.Errorf("the plan ends with %#v", p.Steps[len(p.Steps)-1].Action)
	}
	if r, ok := p.Undo[len(p.Undo)-1].Action.(Resume); !ok || !r.Undo {
		t.Errorf("the undo ends with %#v", p.Undo[len(p.Undo)-1].Action)
	}
}

func (d StepType) matches(kind string) bool {
	pattern := regexp.QuoteMeta(d.Type)
	pattern = strings.ReplaceAll(pattern, "<Group>", "(Leaf|Aggregator|Node|)")
	pattern = strings.ReplaceAll(pattern, "<pod>", "[a-z0-9-]+")
	return regexp.MustCompile("^" + pattern + "$").MatchString(kind)
}

// Every type that is described occurs in a plan: the list has no leftovers.
func TestStepTypesAllOccur(t *testing.T) {
	var used []string
	for _, c := range planCases() {
		plan, err := MakePlan(c.request, c.change)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range slices.Concat(plan.Steps, plan.Undo) {
			used = append(used, s.Type)
		}
	}
	for _, d := range StepTypes() {
		if !slices.ContainsFunc(used, d.matches) {
			t.Errorf("%s occurs in no plan", d.Type)
		}
		if !strings.HasSuffix(d.Description, ".") {
			t.Errorf("%s is not described by a sentence", d.Type)
		}
	}
}

func TestMakePlanRefuses(t *testing.T) {
	cluster := topologies()["singlestore-cluster"]
	ephemeral := Topology{Database: "sdb", Groups: []Group{{Name: "leaf", Workload: "sdb-leaf", Replicas: 1}}}
	for _, c := range []struct {
		name    string
		request Request
		change  Change
		want    string
	}{
		{"an unknown operation", Request{Type: opsv1.RotateAuth}, Change{Topology: cluster}, `there is no plan for operation type "RotateAuth"`},
		{"no groups", Request{Type: opsv1.Restart}, Change{Topology: Topology{Database: "sdb"}}, `database "sdb" has no groups of pods`},
		{"a foreign group in the change", Request{Type: opsv1.Reconfigure}, Change{Topology: cluster, Rolls: map[string]bool{"node": true}}, `database "sdb" has no group "node"`},
		{"a foreign group in the request", Request{Type: opsv1.VolumeExpansion, Volumes: map[string]resource.Quantity{"node": {}}}, Change{Topology: cluster}, `database "sdb" has no group "node"`},
		{"a group without volumes", Request{Type: opsv1.VolumeExpansion, Volumes: map[string]resource.Quantity{"leaf": {}}}, Change{Topology: ephemeral}, `group "leaf" of database "sdb" keeps no volumes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := MakePlan(c.request, c.change)
			if err == nil || err.Error() != c.want {
				t.Errorf("MakePlan = %v, %v, want error %q", plan, err, c.want)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	const minute = time.Minute
	began := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		action Action
		units  int
		asked  time.Duration
		turn   time.Duration // after the step began; zero is not known
		from   time.Duration
		limit  time.Duration
	}{
		"at least one unit":                    {action: Verify{}, limit: 10 * minute},
		"one unit":                             {action: Verify{}, units: 1, limit: 10 * minute},
		"each unit":                            {action: Verify{}, units: 3, limit: 30 * minute},
		"asked for, of the step":               {action: Verify{}, units: 3, asked: minute, limit: minute},
		"the turn of a step that has none":     {action: Verify{}, units: 3, asked: minute, turn: minute, limit: minute},
		"pods, the first, older than the step": {action: RollPods{}, units: 3, turn: -minute, limit: 10 * minute},
		"pods, the second":                     {action: RollPods{}, units: 3, turn: 4 * minute, from: 4 * minute, limit: 10 * minute},
		"pods, asked for, of each":             {action: RollPods{}, units: 3, asked: 3 * minute, turn: 2 * minute, from: 2 * minute, limit: 3 * minute},
		"pods, nobody knows which":             {action: RollPods{}, units: 3, asked: 3 * minute, limit: 9 * minute},
		"pods that are Ready again and again":  {action: RollPods{}, units: 3, asked: 3 * minute, turn: 8 * minute, limit: 9 * minute},
	} {
		turn := time.Time{}
		if c.turn != 0 {
			turn = began.Add(c.turn)
		}
		from, limit := Step{Action: c.action, Units: c.units}.Timeout(Request{Timeout: c.asked}, began, turn)
		if from != began.Add(c.from) || limit != c.limit {
			t.Errorf("%s: %v from %v after the beginning, want %v from %v", name, limit, from.Sub(began), c.limit, c.from)
		}
	}
}
