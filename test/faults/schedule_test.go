//go:build lab

package faults

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// job is one case: a fault at one point of one scenario on one sample.
type job struct {
	scenario scenario
	sample   sample
	fault    fault
	k        int
	against  *reference
}

func (j job) name() string {
	return fmt.Sprintf("%s/%s/%s/k=%d", j.scenario.name, j.sample.title, j.fault.name, j.k)
}

// verdict is how a case ended.
type verdict struct {
	job
	struck bool
	wrong  []string
	// detail explains a failure: what was written, what happened, the end of the operator's log.
	detail string
}

// jobs are all cases, in an order that the seed decides.
func jobs(references map[course]*reference, wanted []sample, seed string, part, parts uint64, only *regexp.Regexp) []job {
	var list []job
	for _, sc := range implemented() {
		for _, s := range wanted {
			u := references[course{sc.name, s.title}]
			for _, f := range faults {
				for _, k := range f.all(u) {
					j := job{sc, s, f, k, u}
					if only.MatchString(j.name()) && hash(seed+j.name())%parts < part {
						list = append(list, j)
					}
				}
			}
		}
	}
	random := rand.New(rand.NewPCG(hash(seed), 1))
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// all are the points at which the fault is tried. There are many more events than writes; as many of them are enough.
func (f fault) all(u *reference) []int {
	n, step := len(u.writes), 1
	if f.points != nil {
		events := f.points(u)
		n, step = events, max(1, events/len(u.writes))
	}
	var points []int
	for k := 1; k <= n; k += step {
		points = append(points, k)
	}
	return points
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

// schedule hands out cases to docks.
type schedule struct {
	*harbour
	mu   sync.Mutex
	open []job
	done func(verdict)
}

// next picks the case that suits a dock best: one that begins with the configuration that its database has.
func (s *schedule) next(d *dock) (job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	best, found := 0, false
	for i, j := range s.open {
		if j.sample.title != d.sample.title {
			continue
		}
		if !found {
			best, found = i, true
		}
		if j.scenario.from == d.config && !j.fault.ends {
			best = i
			break
		}
	}
	if !found {
		return job{}, false
	}
	j := s.open[best]
	s.open = slices.Delete(s.open, best, best+1)
	return j, true
}

// needed is the sample of which most cases are open.
func (s *schedule) needed() (sample, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts, best := map[string]int{}, -1
	for i, j := range s.open {
		counts[j.sample.title]++
		if best < 0 || counts[j.sample.title] > counts[s.open[best].sample.title] {
			best = i
		}
	}
	if best < 0 {
		return sample{}, false
	}
	return s.open[best].sample, true
}

// mostCases is after how many cases a dock is given up: its story, which is kept in full, becomes long.
const mostCases = 12

// work runs cases until none is left, in one dock after the other.
func (s *schedule) work(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		want, more := s.needed()
		if !more {
			return nil
		}
		d, err := s.dig(ctx, want)
		if err != nil {
			if failures++; failures > 2 {
				return fmt.Errorf("making a dock for %s: %w", want.title, err)
			}
			continue
		}
		failures = 0
		s.use(ctx, d)
		d.fill()
	}
	return ctx.Err()
}

// use runs cases in a dock for as long as it is good.
func (s *schedule) use(ctx context.Context, d *dock) {
	for range mostCases {
		j, more := s.next(d)
		if !more || ctx.Err() != nil {
			return
		}
		v, good := s.try(ctx, d, j)
		s.done(v)
		if !good {
			return
		}
	}
}

// try runs one case. good tells whether the dock can take another.
func (s *schedule) try(ctx context.Context, d *dock, j job) (v verdict, good bool) {
	v.job = j
	if err := d.prepare(ctx, j.scenario); err != nil {
		v.wrong, v.detail = []string{"before the case: " + err.Error()}, d.operator.log.String()
		return v, false
	}
	r, struck, err := j.fault.play(ctx, d, j.scenario, j.k)
	v.struck = struck
	switch {
	case err != nil:
		v.wrong = []string{err.Error()}
	case struck:
		v.wrong = j.fault.judge(r, j.against)
	default:
		v.wrong = succeeded(r, j.against)
	}
	if len(v.wrong) > 0 {
		v.detail = d.detail(r)
		return v, false
	}
	if j.fault.ends {
		return v, false
	}
	if err := r.close(ctx); err != nil {
		v.wrong, v.detail = []string{err.Error()}, d.detail(r)
		return v, false
	}
	return v, true
}

// detail is what helps to understand a failure.
func (d *dock) detail(r *run) string {
	var b strings.Builder
	if r != nil {
		for _, e := range r.story().Events {
			if e.Version > r.before.version {
				fmt.Fprintln(&b, line(e))
			}
		}
	}
	fmt.Fprintf(&b, "written by the last operator:\n")
	for _, w := range d.operator.written() {
		fmt.Fprintln(&b, " ", w)
	}
	return b.String() + "its log:\n" + d.operator.log.String()
}
