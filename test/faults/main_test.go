//go:build lab

package faults

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/drydock-db/drydock/test/framework"
)

var (
	fraction = flag.String("faults.fraction", "1/1", "part of the cases that are run, for example 1/3; the seed chooses which")
	seed     = flag.String("faults.seed", "drydock", "chooses cases and their order; any text, for example a commit")
	only     = flag.String("faults.only", "", "regular expression; only cases with such a name are run")
	width    = flag.Int("faults.docks", 8*runtime.GOMAXPROCS(0), "databases that are worked on at the same time")
	details  = flag.String("faults.details", "", "folder into which the story of each failed case is written")
)

// TestFaults runs the matrix.
func TestFaults(t *testing.T) {
	logf.SetLogger(logr.Discard()) // each operator has a log of its own
	var part, parts uint64
	if n, err := fmt.Sscanf(*fraction, "%d/%d", &part, &parts); n != 2 || err != nil || parts == 0 {
		t.Fatalf("-faults.fraction=%s is not like 1/3", *fraction)
	}
	filter, err := regexp.Compile(*only)
	if err != nil {
		t.Fatalf("-faults.only: %v", err)
	}
	h := open(t)
	start := time.Now()
	wanted := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return !concerned(filter, s) })
	references := h.explore(t, wanted)
	list := jobs(references, wanted, *seed, part, parts, filter)
	t.Logf("%d cases, after %s of undisturbed runs", len(list), time.Since(start).Round(time.Second))
	verdicts := h.runAll(t, list)
	t.Log(matrix(verdicts))
	t.Logf("%d cases in %s", len(verdicts), time.Since(start).Round(time.Second))
	for _, v := range verdicts {
		t.Run(v.name(), func(t *testing.T) {
			if len(v.wrong) > 0 {
				t.Error(shorten(v.wrong, 12))
			}
		})
	}
}

// concerned tells whether any case on that sample may be wanted.
func concerned(filter *regexp.Regexp, s sample) bool {
	for _, sc := range implemented() {
		for _, f := range faults {
			for k := range 100 {
				if filter.MatchString((job{sc, s, f, k, nil}).name()) {
					return true
				}
			}
		}
	}
	return false
}

// runAll runs the cases in many docks and returns the verdicts, sorted by name.
func (h *harbour) runAll(t *testing.T, list []job) []verdict {
	t.Helper()
	var mu sync.Mutex
	var verdicts []verdict
	s := &schedule{harbour: h, open: list, done: func(v verdict) {
		mu.Lock()
		defer mu.Unlock()
		verdicts = append(verdicts, v)
		if len(v.wrong) > 0 {
			t.Logf("FAILED %s: %s", v.name(), shorten(v.wrong, 3))
			keep(t, v)
		}
		if len(verdicts)%50 == 0 {
			t.Logf("%d of %d cases", len(verdicts), len(list))
		}
	}}
	var wg sync.WaitGroup
	for range min(*width, len(list)) {
		wg.Go(func() {
			if err := s.work(t.Context()); err != nil {
				t.Errorf("a worker gave up: %v", err)
			}
		})
	}
	wg.Wait()
	slices.SortFunc(verdicts, func(a, b verdict) int { return strings.Compare(a.name(), b.name()) })
	return verdicts
}

// keep writes the story of a failure to a file.
func keep(t *testing.T, v verdict) {
	t.Helper()
	if *details == "" {
		return
	}
	path := filepath.Join(*details, strings.ReplaceAll(v.name(), "/", "_")+".txt")
	if err := os.WriteFile(path, []byte(strings.Join(v.wrong, "\n")+"\n\n"+v.detail), 0o644); err != nil {
		t.Error(err)
	}
}

// line is one event for people.
func line(e framework.Event) string {
	about := fmt.Sprintf("%s %d %-8s %s %s", e.Seen.Format("05.000"), e.Version, e.Type, kindOf(e.Object), e.Object.GetName())
	switch o := e.Object.(type) {
	case *corev1.Pod:
		about += fmt.Sprintf(" (%.4s) ready=%t leaving=%t", o.UID, framework.Ready(o), o.DeletionTimestamp != nil)
	case *policyv1.PodDisruptionBudget:
		about += fmt.Sprintf(" allowed=%d healthy=%d disrupted=%v", o.Status.DisruptionsAllowed, o.Status.CurrentHealthy, o.Status.DisruptedPods)
	case framework.Database:
		about += fmt.Sprintf(" generation %d %s", o.GetGeneration(), o.DatabaseStatus().Phase)
		for _, c := range o.DatabaseStatus().Conditions {
			about += fmt.Sprintf(" %s=%s", c.Type, c.Status)
		}
	case framework.Request:
		about += fmt.Sprintf(" %s %s", o.RequestStatus().Phase, o.RequestStatus().Progress)
		for _, c := range o.RequestStatus().Conditions {
			about += fmt.Sprintf(" %s=%s(%s)", c.Type, c.Status, c.Reason)
		}
	}
	return about
}
