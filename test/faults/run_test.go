//go:build lab && faults

package faults

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/test/framework"
)

// run is one request, from before it is made until everything has settled.
type run struct {
	*dock
	scenario scenario
	// asked is what the request sets.
	asked   variables
	request engines.OpsRequest
	// forced is a request that was deleted by force, so that nobody could release what it held.
	forced types.UID
	// struck gets the write at which the fault happens, blow is that write.
	struck <-chan write
	blow   write
	// before and after are the scenes around it.
	before, after *scene
	// chatter are the writes after the end; there must be none.
	chatter []write
}

// begin makes a request. arm is called right before, when the database is at rest.
func (d *dock) begin(ctx context.Context, s scenario, arm func(*run)) (*run, error) {
	d.cases++
	d.operator.arm(0, nil) // a strike that the case before never came to would fall into the edit
	if err := d.misbehave(ctx, s.rules); err != nil {
		return nil, err
	}
	if err := d.edit(ctx, s); err != nil {
		return nil, err
	}
	d.ledger.open()
	r := &run{dock: d, scenario: s, asked: d.next(s)}
	var err error
	if r.before, err = d.look(ctx); err != nil {
		return nil, err
	}
	if r.request, err = d.request(s, fmt.Sprintf("case-%d", d.cases), r.asked); err != nil {
		return nil, err
	}
	d.operator.arm(0, nil)
	if arm != nil {
		arm(r)
	}
	if err := d.lab.Client.Create(ctx, r.request); err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	return r, nil
}

// edit changes the database as its owner would, and waits until nothing more comes of it without a request.
func (d *dock) edit(ctx context.Context, s scenario) error {
	if s.edit == nil {
		return nil
	}
	db := d.database().DeepCopyObject().(engines.Database)
	before := db.DeepCopyObject().(client.Object)
	s.edit(db)
	if err := d.lab.Client.Patch(ctx, db, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("editing the database: %w", err)
	}
	err := until(ctx, "the operator to have seen to the edited database", func() bool {
		now := d.database()
		return now != nil && now.DatabaseStatus().ObservedGeneration >= db.GetGeneration() &&
			framework.Condition(now.DatabaseStatus().Conditions, kubedbv1.ConditionCertificatesReady).Status == metav1.ConditionTrue
	})
	if err == nil {
		err = d.quiet(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: %s\n%s", err, line(framework.Event{Object: d.database()}), d.operator.log)
	}
	return nil
}

// now is the run's request as it was seen last; nil when it is gone.
func (r *run) now() framework.Request {
	now, ok := r.space.Record.See(r.request).(framework.Request)
	if !ok || now.GetUID() != r.request.GetUID() {
		return nil
	}
	return now
}

// ended tells whether nothing is left to do: the request is gone, or it has ended and nothing holds the database.
func (r *run) ended() bool {
	if now := r.now(); now != nil && (!framework.Finished(now) || now.GetDeletionTimestamp() != nil || held(now)) {
		return false
	}
	db := r.database()
	if db == nil {
		return true
	}
	_, paused := framework.HeldByOperation(db)
	return !paused && db.GetDeletionTimestamp() == nil && db.DatabaseStatus().Phase == kubedbv1.PhaseReady
}

func held(r framework.Request) bool {
	for _, f := range r.GetFinalizers() {
		if f == opsv1.Finalizer {
			return true
		}
	}
	return false
}

// strikes waits until the fault happens; false means that the operation ended without coming to that write.
func (r *run) strikes(ctx context.Context) (bool, error) {
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for seen := false; ; {
		select {
		case r.blow = <-r.struck:
			return true, nil
		case <-tick.C:
			seen = seen || r.now() != nil
			if seen && r.ended() && r.operator.idle() > silence {
				return false, nil
			}
		case <-deadline:
			return false, fmt.Errorf("after %s the operation has neither ended nor come to that write; it was at %v", patience, r.operator.written())
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// settling is how long nothing must be written after the end.
const settling = 2 * time.Second

// finish waits for the end and for rest, and takes the scene.
func (r *run) finish(ctx context.Context) error {
	if err := until(ctx, "the recorder to see the request", func() bool { return r.now() != nil || r.gone(ctx) }); err != nil {
		return err
	}
	if err := until(ctx, "the operation to end", r.ended); err != nil {
		return r.explain(err)
	}
	return r.settle(ctx)
}

// gone asks the API server.
func (r *run) gone(ctx context.Context) bool {
	o := r.sample.engine.Kind().NewRequest()
	err := r.lab.Client.Get(ctx, client.ObjectKeyFromObject(r.request), o)
	return client.IgnoreNotFound(err) == nil && (err != nil || o.GetUID() != r.request.GetUID())
}

// issued tells whether all certificates are there and none is being issued.
func (r *run) issued(ctx context.Context) bool {
	var list cmv1.CertificateList
	if r.lab.Client.List(ctx, &list, client.InNamespace(r.space.Name)) != nil {
		return false
	}
	return !slices.ContainsFunc(list.Items, func(c cmv1.Certificate) bool { return !framework.Issued(&c) })
}

func (r *run) settle(ctx context.Context) error {
	if r.scenario.fails && r.scenario.from.hasTLS() { // nobody waits for certificates on the way back
		if err := until(ctx, "cert-manager to come to rest", func() bool { return r.issued(ctx) }); err != nil {
			return r.explain(err)
		}
	}
	if err := r.quiet(ctx); err != nil {
		return r.explain(err)
	}
	done, start := len(r.operator.written()), time.Now()
	time.Sleep(settling)
	r.chatter = r.unasked(done, start)
	var err error
	r.after, err = r.look(ctx)
	return err
}

// explain adds what the request says of itself to an error.
func (r *run) explain(err error) error {
	now := r.now()
	if now == nil {
		return fmt.Errorf("%w; the request is gone", err)
	}
	text := ""
	for _, c := range now.RequestStatus().Conditions {
		text += fmt.Sprintf("\n  %s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message)
	}
	return fmt.Errorf("%w; request %s, finalizers %v:%s", err, now.RequestStatus().Phase, now.GetFinalizers(), text)
}

// close makes the dock ready for the next case: it notes what the database has now and removes the request. good is false
// when the operation has not succeeded, so that nobody knows what the database has.
func (r *run) close(ctx context.Context) (good bool, err error) {
	if now := r.now(); now != nil && now.RequestStatus().Phase != r.scenario.end() {
		return false, nil
	}
	asAsked := r.now() != nil || r.lastOutcome() == kubedbv1.OutcomeSuccessful
	issues := r.scenario.kind == opsv1.ReconfigureTLS && (!r.scenario.fails || r.scenario.from.hasTLS()) || r.scenario.edit != nil
	if !asAsked && issues {
		return false, nil // certificates may have been issued that no pod mounts
	}
	if !asAsked && (r.scenario.from == named || r.scenario.from == renewed) || r.forced != "" && r.scenario.to == named {
		return false, nil // the copy that the next restart brings may be there, or the old authority be forgotten already
	}
	r.note(asAsked)
	smallest, largest := r.claims()
	r.uneven = smallest != largest || r.variables.size != largest || r.scenario.fails && r.scenario.grows
	r.variables.size = largest
	return true, client.IgnoreNotFound(r.lab.Client.Delete(ctx, r.request.DeepCopyObject().(client.Object)))
}

func (r *run) note(asAsked bool) {
	if asAsked {
		r.config, r.variables = r.scenario.to, r.asked
	}
}

// lastOutcome is how the database says that this request ended; empty when it says nothing of it.
func (r *run) lastOutcome() kubedbv1.OperationOutcome {
	db := r.database()
	if db == nil || db.DatabaseStatus().LastOperation == nil || db.DatabaseStatus().LastOperation.UID != r.request.GetUID() {
		return ""
	}
	return db.DatabaseStatus().LastOperation.Outcome
}

// text is how the scene after the run reads.
func (r *run) text() []string {
	return reading{scene: r.after, before: r.before, uid: r.request.GetUID(), request: r.request.GetName(), variables: r.asked,
		asked: r.ledger.asked()}.text()
}

// story is what happened since before the request was made, after what was there then.
func (r *run) story() framework.Story {
	all := r.space.Record.Story()
	story := framework.Story{ByHand: all.ByHand}
	for _, o := range r.before.objects() {
		story.Events = append(story.Events, framework.Event{Type: watch.Added, Object: o, Version: version(o)})
	}
	for _, e := range all.Events {
		if e.Version > r.before.version {
			story.Events = append(story.Events, e)
		}
	}
	return story
}

// takedowns counts how often each pod was taken down, by name.
func (r *run) takedowns() map[string]int {
	counts := map[string]int{}
	for _, t := range r.story().Takedowns() {
		if t.Version > r.before.version && !t.ByHand {
			counts[t.Pod]++
		}
	}
	return counts
}

// identities are lines about whether an object is the one of before.
var identities = regexp.MustCompile(` identity: `)

// uid of the database, for comparisons.
func uidOf(o framework.Database) types.UID {
	if o == nil {
		return ""
	}
	return o.GetUID()
}
