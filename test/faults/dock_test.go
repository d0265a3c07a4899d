//go:build lab && faults

package faults

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/test/framework"
	"github.com/drydock-db/drydock/webhooks"
)

// dock is a namespace with one database, and the operator that looks after it.
type dock struct {
	*harbour
	space  *framework.Space
	sample sample
	// operator is the one that works now; it changes when one is killed.
	operator *instance
	// before is the one that had to leave last; nil at first.
	before *instance
	// config and variables are what the database has now; uneven is true when its volumes differ in size.
	config    custom
	variables variables
	uneven    bool
	cases     int
	// rules are those by which its fake nodes misbehave; nil at first.
	rules []string
	// forced are requests that were deleted by force.
	forced []types.UID
	// last names the case that was played last.
	last   string
	ledger ledger
}

// dig makes a dock with a database that is Ready.
func (h *harbour) dig(ctx context.Context, s sample) (*dock, error) {
	space, err := h.lab.NewSpace(ctx)
	if err != nil {
		return nil, err
	}
	d := &dock{harbour: h, space: space, sample: s}
	d.ledger.open()
	for name, data := range map[string]map[string]string{
		licence:    {"username": "license", "password": "not a real licence"},
		userConfig: {"user.cnf": "[" + s.section + "]\nmax_allowed_packet = 33554432\n"},
	} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: space.Name, Name: name}, StringData: data}
		if err := h.lab.Client.Create(ctx, secret); err != nil {
			d.fill()
			return nil, fmt.Errorf("making Secret %s: %w", name, err)
		}
	}
	if err := d.misbehave(ctx, nil); err != nil {
		d.fill()
		return nil, err
	}
	if d.operator, err = d.hire(ctx, upbringing{}); err == nil {
		err = d.launch(ctx)
	}
	if err != nil {
		d.fill()
		return nil, err
	}
	return d, nil
}

// misbehave sets the rules of the dock's fake nodes, beside the one that holds always. The framework's own lets pods take
// half a second to go; here a little less is enough for the disruption controller to see most of them leave.
func (d *dock) misbehave(ctx context.Context, rules []string) error {
	if d.rules != nil && slices.Equal(d.rules, rules) {
		return nil
	}
	if err := d.space.Faults(ctx, append([]string{`{pod: "*", terminateAfter: 300ms}`}, rules...)...); err != nil {
		return err
	}
	d.rules = append([]string{}, rules...)
	return nil
}

// launch makes the database and waits until it is Ready and quiet.
func (d *dock) launch(ctx context.Context) error {
	uid, err := d.order(ctx)
	if err != nil {
		return err
	}
	return d.afloat(ctx, uid)
}

// order makes the database, defaulted as admission would.
func (d *dock) order(ctx context.Context) (types.UID, error) {
	db := d.sample.database(metav1.ObjectMeta{Namespace: d.space.Name, Name: d.sample.name})
	webhooks.Database{Engine: d.sample.engine}.Default(db, nil)
	if err := d.lab.Client.Create(ctx, db); err != nil {
		return "", fmt.Errorf("making the database: %w", err)
	}
	d.config, d.variables, d.uneven = plain, variables{setting: "100000", size: birthSize}, false
	return db.GetUID(), nil
}

// afloat waits until that database is Ready and quiet.
func (d *dock) afloat(ctx context.Context, uid types.UID) error {
	err := until(ctx, "the database to be Ready", func() bool {
		now := d.database()
		return d.space.Record.Broken() != nil || now != nil && now.GetUID() == uid && now.DatabaseStatus().Phase == kubedbv1.PhaseReady
	})
	if err == nil {
		err = d.space.Record.Broken()
	}
	if err != nil {
		return err
	}
	return d.quiet(ctx)
}

// fill gives the dock up: its operator ends, and its namespace is deleted, whatever state it is in.
func (d *dock) fill() {
	if d.operator != nil {
		d.operator.kill()
	}
	d.space.Record.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, r := range framework.All[framework.Request](d.space.Record) {
		_ = d.strip(ctx, r) // what is left is in nobody's way
	}
	if db := d.database(); db != nil {
		_ = d.strip(ctx, db)
	}
	_ = d.lab.Client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: d.space.Name}})
}

// strip removes an object's finalizers by force.
func (d *dock) strip(ctx context.Context, o client.Object) error {
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	return client.IgnoreNotFound(d.lab.Client.Patch(ctx, o.DeepCopyObject().(client.Object), patch))
}

// database is the dock's database as it was seen last; nil when there is none.
func (d *dock) database() framework.Database {
	db, ok := d.space.Record.See(d.sample.database(metav1.ObjectMeta{Name: d.sample.name})).(framework.Database)
	if !ok {
		return nil
	}
	return db
}

// request makes a request for the scenario, defaulted and stamped as admission would.
func (d *dock) request(s scenario, name string, v variables) (engines.OpsRequest, error) {
	r := d.sample.engine.Kind().NewRequest()
	r.SetNamespace(d.space.Name)
	r.SetName(name)
	spec := r.RequestSpec()
	spec.DatabaseRef.Name, spec.Type = d.sample.name, s.kind
	s.ask(d.sample, v, r)
	if err := (webhooks.OpsRequest{Engine: d.sample.engine}).Default(r, nil, d.who); err != nil {
		return nil, fmt.Errorf("defaulting the request: %w", err)
	}
	return r, nil
}

// next are the variables of the next case: a setting that was never there, and volumes one size larger if they grow.
func (d *dock) next(s scenario) variables {
	v := d.variables
	if s.kind == opsv1.Reconfigure && (s.to == inline || s.to == later) {
		v.setting = fmt.Sprint(100000 + d.cases)
	}
	if s.grows {
		v.size++
	}
	return v
}

// silence is how long nothing has to be asked before a database counts as settled: longer than a client pauses that was
// told to come again in a second.
const silence = 1200 * time.Millisecond

// quiet waits until the operator has nothing more to write.
func (d *dock) quiet(ctx context.Context) error {
	return until(ctx, "the operator to come to rest", func() bool { return d.operator.idle() > silence })
}

// until polls what costs no request.
func until(ctx context.Context, what string, is func() bool) error {
	deadline := time.Now().Add(patience)
	for !is() {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return fmt.Errorf("waited %s in vain for %s", patience, what)
		}
		time.Sleep(30 * time.Millisecond)
	}
	return nil
}

// route is the shortest list of scenarios that leads from one state to another.
func (s sample) route(from, to custom) []scenario {
	type way struct {
		at    custom
		steps []scenario
	}
	seen := map[custom]bool{from: true}
	for open := []way{{at: from}}; len(open) > 0; open = open[1:] {
		if open[0].at == to {
			return open[0].steps
		}
		for _, sc := range s.possible() {
			if sc.from == open[0].at && !seen[sc.to] {
				seen[sc.to] = true
				open = append(open, way{sc.to, append(slices.Clone(open[0].steps), sc)})
			}
		}
	}
	panic(fmt.Sprintf("no scenario leads from %s to %s", from, to))
}

// prepare brings the database to where the scenario begins, by undisturbed operations.
func (d *dock) prepare(ctx context.Context, s scenario) error {
	if d.uneven {
		if err := d.undisturbed(ctx, scenarioOf("VolumeExpansion-online")); err != nil {
			return err
		}
	}
	for _, leg := range d.sample.route(d.config, s.from) {
		if err := d.undisturbed(ctx, leg); err != nil {
			return err
		}
	}
	return nil
}

// undisturbed carries out a scenario without any fault.
func (d *dock) undisturbed(ctx context.Context, s scenario) error {
	run, err := d.begin(ctx, s, nil)
	if err != nil {
		return err
	}
	if err := run.finish(ctx); err != nil {
		return fmt.Errorf("undisturbed %s: %w", s.name, err)
	}
	good, err := run.close(ctx)
	if err == nil && !good {
		err = run.explain(fmt.Errorf("undisturbed %s did not succeed", s.name))
	}
	return err
}

// claims tells the volumes' sizes in Gi: the smallest and the largest request.
func (d *dock) claims() (smallest, largest int) {
	var sizes []int
	for _, c := range framework.All[*corev1.PersistentVolumeClaim](d.space.Record) {
		sizes = append(sizes, int(c.Spec.Resources.Requests.Storage().Value()>>30))
	}
	if len(sizes) == 0 {
		return 0, 0
	}
	return slices.Min(sizes), slices.Max(sizes)
}
