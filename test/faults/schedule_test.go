//go:build lab && faults

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
	"time"
)

// job is one case: a fault at one point of one scenario on one sample.
type job struct {
	scenario scenario
	sample   sample
	fault    fault
	k        int
	against  *reference
	// first is true for one case of every operation and fault; these are run whatever the time.
	first bool
	// earlier is what was wrong when it was played before; nil the first time.
	earlier []string
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
	// spent is how long each part of the case took.
	spent stages
}

// stages are the parts of a case.
type stages struct {
	// digging is the time for the dock, at its first case only; preparing brings its database to the beginning.
	digging, preparing, playing, closing time.Duration
}

func (s *stages) add(more stages) {
	s.digging += more.digging
	s.preparing += more.preparing
	s.playing += more.playing
	s.closing += more.closing
}

// jobs are all cases, in an order that the seed decides.
func jobs(references map[course]*reference, wanted []sample, seed string, only *regexp.Regexp) []job {
	var list []job
	for _, s := range wanted {
		for _, sc := range s.possible() {
			u := references[course{sc.name, s.title}]
			for _, f := range faults {
				if f.forced && sc.fails || f.corrects && sc.correct == nil {
					continue
				}
				for _, k := range f.all(u, max(1, s.thin, sc.thin), hash(seed+" "+sc.name+s.title+f.name)) {
					if j := (job{scenario: sc, sample: s, fault: f, k: k, against: u}); only.MatchString(j.name()) {
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

// chosen is one part of the jobs, counted from 1, of so many, with one of every operation and fault in front. Which part a job
// is in follows from its name and the seed alone, so that parts played on different machines add up to the whole.
func chosen(all []job, number, parts int, seed string) []job {
	var front, rest []job
	seen := map[string]bool{}
	for _, j := range all {
		if int(hash(seed+" "+j.name())%uint64(parts)) != number-1 {
			continue
		}
		about := j.scenario.name + "/" + j.fault.name
		if j.first = !seen[about]; j.first {
			front = append(front, j)
		} else {
			rest = append(rest, j)
		}
		seen[about] = true
	}
	return append(front, rest...)
}

// all are the points at which the fault is tried, one in so many. There are many more events than writes; as many of them are
// enough. Others are with each seed.
func (f fault) all(u *reference, thin int, seed uint64) []int {
	n, step := len(u.writes), thin
	if f.points != nil {
		n = f.points(u)
		step = max(1, min(n, thin*max(1, n/len(u.writes))))
	}
	var points []int
	for k := 1 + int(seed%uint64(step)); k <= n; k += step {
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
	// dropped is the number of cases for which there was no time.
	dropped int
	done    func(verdict)
	// complain says what is wrong that belongs to no case.
	complain func(string)
	// retired are the docks that take no more cases, and have to stay calm for a minute.
	retired sync.WaitGroup
}

// hurry drops all cases that need not be run.
func (s *schedule) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.open)
	s.open = slices.DeleteFunc(s.open, func(j job) bool { return !j.first })
	s.dropped += before - len(s.open)
}

// next picks the case that suits a dock best: of those that come first one that begins with the configuration that its
// database has.
func (s *schedule) next(d *dock) (job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	best := -1
	for i, j := range s.open {
		if j.sample.title != d.sample.title {
			continue
		}
		if best < 0 {
			best = i
		}
		if j.first != s.open[best].first {
			break
		}
		if j.scenario.from == d.config && !j.fault.ends {
			best = i
			break
		}
	}
	if best < 0 {
		return job{}, false
	}
	j := s.open[best]
	s.open = slices.Delete(s.open, best, best+1)
	return j, true
}

// again puts a case that has failed back, before all others.
func (s *schedule) again(v verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := v.job
	j.first, j.earlier = true, v.wrong
	s.open = slices.Insert(s.open, 0, j)
}

// needed is the sample of which most cases are open, of those that come first.
func (s *schedule) needed() (sample, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts, best := map[string]int{}, -1
	for i, j := range s.open {
		if j.first != s.open[0].first {
			break
		}
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
		start := time.Now()
		d, err := s.dig(ctx, want)
		if err != nil {
			if failures++; failures > 2 {
				return fmt.Errorf("making a dock for %s: %w", want.title, err)
			}
			continue
		}
		failures = 0
		if good := s.use(ctx, d, time.Since(start)); good {
			s.retire(d)
		} else {
			d.fill()
		}
	}
	return ctx.Err()
}

// retire watches a dock for a minute, in which nothing is written: after a fault too.
func (s *schedule) retire(d *dock) {
	calm := d.calm()
	s.retired.Go(func() {
		if wrong := calm(); len(wrong) > 0 {
			s.complain(shorten(wrong, 30))
		}
	})
}

// use runs cases in a dock for as long as it can take them, and there are any. good tells whether all was well in the last one.
func (s *schedule) use(ctx context.Context, d *dock, digging time.Duration) (good bool) {
	for range mostCases {
		j, more := s.next(d)
		if !more || ctx.Err() != nil {
			return ctx.Err() == nil
		}
		v, good := s.try(ctx, d, j)
		v.spent.digging, digging = digging, 0
		s.done(v)
		if !good {
			return len(v.wrong) == 0 // all is well, but it is not what a case could begin with
		}
	}
	return true
}

// try runs one case. good tells whether the dock can take another.
func (s *schedule) try(ctx context.Context, d *dock, j job) (v verdict, good bool) {
	v.job, d.last = j, j.name()
	start := time.Now()
	err := d.prepare(ctx, j.scenario)
	v.spent.preparing = time.Since(start)
	if err != nil {
		v.wrong, v.detail = []string{"before the case: " + err.Error()}, d.operator.log.String()
		return v, false
	}
	start = time.Now()
	r, struck, err := j.fault.play(ctx, d, j.scenario, j.k)
	v.spent.playing, v.struck = time.Since(start), struck
	switch {
	case err != nil:
		v.wrong = []string{err.Error()}
	case struck:
		v.wrong = j.fault.judge(r, j.against)
	default:
		v.wrong = succeeded(r, j.against)
	}
	good = len(v.wrong) == 0 && !j.fault.ends
	if good {
		start = time.Now()
		good, err = r.close(ctx)
		v.spent.closing = time.Since(start)
		if err != nil {
			v.wrong = []string{err.Error()}
		}
	}
	if len(v.wrong) > 0 {
		v.detail = d.detail(r)
	}
	return v, good
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
	if d.before != nil {
		d.before.report(&b, "the operator before")
	}
	d.operator.report(&b, "the last operator")
	return b.String()
}

// report tells what an instance has written, and the end of its log.
func (i *instance) report(b *strings.Builder, who string) {
	fmt.Fprintf(b, "written by %s:\n", who)
	for _, w := range i.written() {
		fmt.Fprintln(b, " ", w)
	}
	fmt.Fprintf(b, "its log:\n%s\n", i.log)
}
