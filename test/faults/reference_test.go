//go:build lab && faults

package faults

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// course names the references: a scenario on a sample.
type course struct{ scenario, sample string }

// legs are how many docks share the scenarios of a sample when these are explored.
const legs = 3

// voyage is the order in which a reference dock runs its share of the scenarios: most begin with what the one before it has left,
// and none is the first operation that the database sees, so that there always is a saved revision to clear away.
func (s sample) voyage(leg int) []scenario {
	all := s.possible()
	return append([]scenario{scenarioOf("Restart")}, all[len(all)*leg/legs:len(all)*(leg+1)/legs]...)
}

// explore runs every scenario undisturbed, twice per sample and all at once. Where the two differ, the comparison with
// later runs would say nothing, so that is a failure too.
//
// The databases stay, and calm waits until nothing has been written for a minute and says what has been.
func (h *harbour) explore(t *trouble, wanted []sample) (all map[course]*reference, calm func() []string) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var waits []func() []string
	var failed []error
	twins := [2]map[course]*reference{{}, {}}
	for _, s := range wanted {
		for share := range 2 * legs {
			wg.Go(func() {
				found, dock, err := h.sail(t.Context(), s, share%legs)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed = append(failed, fmt.Errorf("the undisturbed runs on %s fail: %w", s.title, err))
					return
				}
				waits = append(waits, dock.calm())
				maps.Copy(twins[share/legs], found)
			})
		}
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Fatalf("%v", err)
	}
	for c, u := range twins[0] {
		twin := twins[1][c]
		if diff := difference(u.text, twin.text); len(diff) > 0 {
			t.Errorf("two undisturbed runs of %s on %s differ:\n%s", c.scenario, c.sample, shorten(diff, 20))
		}
		if len(twin.writes) > len(u.writes) {
			u.writes = twin.writes
		}
		u.events = min(u.events, twin.events)
	}
	return twins[0], func() []string {
		var wrong []string
		for _, wait := range waits {
			wrong = append(wrong, wait()...)
		}
		return wrong
	}
}

// longCalm is how long nothing is written to a database after its last operation.
const longCalm = time.Minute

// calm lets a minute pass from now on, then says what has been written, and which invariants its whole story breaks: between the
// cases too. It gives the dock up.
func (d *dock) calm() (wait func() []string) {
	done, start := len(d.operator.written()), time.Now()
	over := time.After(longCalm)
	return func() []string {
		defer d.fill()
		<-over
		var wrong []string
		for _, w := range d.unasked(done, start) {
			wrong = append(wrong, fmt.Sprintf("written to %s within a minute after %s: %s", d.sample.title, d.last, w))
		}
		if len(wrong) > 0 {
			wrong = append(wrong, d.since(start)...)
		}
		return append(wrong, d.violations(d.space.Record.Story())...)
	}
}

// unasked are the operator's writes but so many, made since then, for which there was no reason: that a certificate was issued
// anew is one to say so in the database's status.
func (d *dock) unasked(done int, start time.Time) []write {
	renewed := d.renewedAfter(start)
	return slices.DeleteFunc(d.operator.written()[done:], func(w write) bool {
		return !renewed.IsZero() && w.at.After(renewed.Add(-time.Second)) && strings.HasSuffix(w.what, "/status")
	})
}

// renewedAfter is when a certificate was next issued; zero for never. On a busy machine cert-manager may come back to an
// issuance seconds after its end (see certificate), and it takes its time to issue what a cancelled operation had changed. It
// writes the Secret a moment before it says that the Certificate is ready.
func (d *dock) renewedAfter(start time.Time) time.Time {
	for _, e := range d.space.Record.Story().Events {
		if s, ok := e.Object.(*corev1.Secret); ok && s.Type == corev1.SecretTypeTLS && e.Seen.After(start.Add(-settling)) {
			return e.Seen
		}
	}
	return time.Time{}
}

// since are the events that came later, for people.
func (d *dock) since(start time.Time) []string {
	var lines []string
	for _, e := range d.space.Record.Story().Events {
		if e.Seen.After(start) {
			lines = append(lines, line(e))
		}
	}
	return lines
}

// sail runs a share of the scenarios on one database, which stays.
func (h *harbour) sail(ctx context.Context, s sample, leg int) (found map[course]*reference, d *dock, err error) {
	if d, err = h.dig(ctx, s); err != nil {
		return nil, nil, err
	}
	if found, err = d.sail(ctx, leg); err != nil {
		d.fill()
	}
	return found, d, err
}

func (d *dock) sail(ctx context.Context, leg int) (map[course]*reference, error) {
	fresh, err := d.look(ctx)
	if err != nil {
		return nil, err
	}
	birth := reading{scene: fresh, variables: d.variables}.text()
	ear := &dropper{}
	if err := d.succeed(ctx, upbringing{frames: ear.filter}); err != nil {
		return nil, err
	}
	found := map[course]*reference{}
	for _, scenario := range d.sample.voyage(leg) {
		u, err := d.clear(ctx, scenario, ear)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", scenario.name, err)
		}
		u.birth = birth
		d.last = "undisturbed " + scenario.name
		found[course{scenario.name, d.sample.title}] = u
	}
	return found, nil
}

// clear runs one scenario undisturbed until nothing is blurred, three times at most.
func (d *dock) clear(ctx context.Context, s scenario, ear *dropper) (*reference, error) {
	for range 3 {
		u, err := d.leg(ctx, s, ear)
		if err != nil || !u.blurred {
			return u, err
		}
	}
	return nil, errors.New("cert-manager has issued a certificate twice that was asked for once, in each of three attempts")
}

// leg runs one scenario undisturbed.
func (d *dock) leg(ctx context.Context, s scenario, ear *dropper) (*reference, error) {
	if err := d.prepare(ctx, s); err != nil {
		return nil, err
	}
	r, err := d.begin(ctx, s, func(*run) { ear.arm(0) })
	if err != nil {
		return nil, err
	}
	if err := r.finish(ctx); err != nil {
		return nil, err
	}
	u := &reference{text: r.text(), writes: d.operator.written(), blurred: r.issuedTwice()}
	u.events, _ = ear.seen()
	if wrong := succeeded(r, u); len(wrong) > 0 {
		return nil, errors.New("undisturbed, and yet:\n" + shorten(wrong, 20) + "\n" + d.operator.log.String())
	}
	_, err = r.close(ctx)
	return u, err
}
