//go:build lab

package faults

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

// logFor names the references: a scenario on a sample.
type course struct{ scenario, sample string }

// voyage is the order in which a reference dock runs the scenarios: each begins with what the one before it has left, and
// none is the first operation that the database sees, so that there always is a saved revision to clear away.
func voyage() []scenario {
	return append([]scenario{named("Restart")}, implemented()...)
}

// explore runs every scenario undisturbed, twice per sample and both at once. Where the two differ, the comparison with
// later runs would say nothing, so that is a failure too.
func (h *harbour) explore(t *testing.T, wanted []sample) map[course]*reference {
	t.Helper()
	type result struct {
		found map[course]*reference
		err   error
	}
	results := make([][2]result, len(wanted))
	var wg sync.WaitGroup
	for i, s := range wanted {
		for twin := range results[i] {
			wg.Go(func() {
				found, err := h.sail(t.Context(), s)
				results[i][twin] = result{found, err}
			})
		}
	}
	wg.Wait()
	all := map[course]*reference{}
	for i, s := range wanted {
		for _, r := range results[i] {
			if r.err != nil {
				t.Fatalf("the undisturbed runs on %s fail: %v", s.title, r.err)
			}
		}
		first, second := results[i][0].found, results[i][1].found
		for c, u := range first {
			twin := second[c]
			if diff := difference(u.text, twin.text); len(diff) > 0 {
				t.Errorf("two undisturbed runs of %s on %s differ:\n%s", c.scenario, c.sample, shorten(diff, 20))
			}
			if len(twin.writes) > len(u.writes) {
				u.writes = twin.writes
			}
			u.events = min(u.events, twin.events)
			all[c] = u
		}
	}
	return all
}

// sail runs every scenario on one database.
func (h *harbour) sail(ctx context.Context, s sample) (map[course]*reference, error) {
	d, err := h.dig(ctx, s)
	if err != nil {
		return nil, err
	}
	defer d.fill()
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
	for _, scenario := range voyage() {
		u, err := d.leg(ctx, scenario, ear)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", scenario.name, err)
		}
		u.birth = birth
		found[course{scenario.name, s.title}] = u
	}
	return found, nil
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
	u := &reference{text: r.text(), writes: d.operator.written()}
	u.events, _ = ear.seen()
	if wrong := succeeded(r, u); len(wrong) > 0 {
		return nil, errors.New("undisturbed, and yet:\n" + shorten(wrong, 20) + "\n" + d.operator.log.String())
	}
	return u, r.close(ctx)
}
