//go:build lab && faults

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
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/test/framework"
)

var (
	budget  = flag.Duration("faults.budget", 0, "no case begins later than this after the start, but one of every operation and fault is run; 0 for no limit")
	seed    = flag.String("faults.seed", "drydock", "decides which cases are in which part, which come first, and at which events a fault is tried; any text, for example a commit")
	part    = flag.String("faults.part", "1/1", "which part of the cases is run, of how many")
	replay  = flag.Bool("faults.replay", false, "a case that fails is played once more in another dock; more than one in two hundred of those that pass then is a failure all the same")
	only    = flag.String("faults.only", "", "regular expression; only cases with such a name are run")
	width   = flag.Int("faults.docks", 12*runtime.GOMAXPROCS(0), "databases that are worked on at the same time")
	details = flag.String("faults.details", "", "folder into which the story of each failed case is written")
)

// fewest is how small a part of the cases may be played when the time is up: one in so many.
const fewest = 4

// TestFaults runs the matrix.
func TestFaults(t *testing.T) {
	logf.SetLogger(logr.Discard()) // each operator has a log of its own
	filter, err := regexp.Compile(*only)
	if err != nil {
		t.Fatalf("-faults.only: %v", err)
	}
	var number, parts int
	if n, err := fmt.Sscanf(*part, "%d/%d", &number, &parts); n != 2 || number < 1 || number > parts {
		t.Fatalf("-faults.part is %q, not like 2/3: %v", *part, err)
	}
	start := time.Now()
	h, report := open(t), &trouble{T: t}
	defer report.summarize()
	wanted := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return !concerned(filter, s) })
	references, calm := h.explore(report, wanted)
	all := jobs(references, wanted, *seed, filter)
	list := chosen(all, number, parts, *seed)
	t.Logf("%d of %d cases, part %s of seed %q, after %s of undisturbed runs", len(list), len(all), *part, *seed, time.Since(start).Round(time.Second))
	began := time.Now()
	verdicts, dropped := h.runAll(report, list, start)
	if len(verdicts) == 0 {
		t.Fatal("no case was run")
	}
	t.Log(matrix(verdicts))
	t.Logf("%d of the %d cases of the matrix in %s%s", len(verdicts), len(all), time.Since(began).Round(time.Second), effort(verdicts))
	if dropped > 0 {
		t.Logf("only %d of %d were played: the time was up", len(verdicts), len(list))
	}
	if len(verdicts) < len(list)/fewest {
		report.Errorf("less than one in %d of the cases that were asked for were played: give them more time", fewest)
	}
	if second := secondTries(verdicts); len(second) > 1+len(verdicts)/200 {
		report.Errorf("%d cases passed at their second try only, which is more than chance: %s", len(second), shorten(second, 20))
	}
	for _, wrong := range calm() {
		report.Errorf("%s", wrong)
	}
	if t.Failed() {
		t.Logf("to play the same cases again: FAULTS_SEED=%s", *seed)
	}
	for _, v := range verdicts {
		t.Run(v.name(), func(t *testing.T) {
			if len(v.wrong) > 0 {
				t.Error(shorten(v.wrong, 12))
				report.keep(v.name() + ": " + shorten(v.wrong, 12))
			}
		})
	}
}

// concerned tells whether any case on that sample may be wanted.
func concerned(filter *regexp.Regexp, s sample) bool {
	for _, sc := range s.possible() {
		for _, f := range faults {
			for k := range 100 {
				if filter.MatchString((job{scenario: sc, sample: s, fault: f, k: k}).name()) {
					return true
				}
			}
		}
	}
	return false
}

// runAll runs the cases in many docks and returns the verdicts, sorted by name, and how many cases there was no time for.
func (h *harbour) runAll(t *trouble, list []job, start time.Time) (verdicts []verdict, dropped int) {
	t.Helper()
	var mu sync.Mutex
	total := len(list)
	s := &schedule{harbour: h, open: list, complain: func(wrong string) { t.Errorf("%s", wrong) }}
	s.done = func(v verdict) {
		mu.Lock()
		defer mu.Unlock()
		if len(v.wrong) > 0 {
			t.Logf("FAILED %s: %s", v.name(), shorten(v.wrong, 3))
			keep(t.T, v)
		}
		if len(v.wrong) > 0 && *replay && v.earlier == nil {
			s.again(v)
			return
		}
		verdicts = append(verdicts, v)
		if len(verdicts)%50 == 0 {
			t.Logf("%d of %d cases after %s", len(verdicts), total, time.Since(start).Round(time.Second))
		}
	}
	if *budget > 0 {
		late := time.AfterFunc(time.Until(start.Add(*budget)), s.hurry)
		defer late.Stop()
	}
	var wg sync.WaitGroup
	for range min(*width, len(list)) {
		wg.Go(func() {
			if err := s.work(t.Context()); err != nil {
				t.Errorf("a worker gave up: %v", err)
			}
		})
	}
	wg.Wait()
	s.retired.Wait()
	slices.SortFunc(verdicts, func(a, b verdict) int { return strings.Compare(a.name(), b.name()) })
	s.mu.Lock() // hurry may just be at it
	defer s.mu.Unlock()
	return verdicts, s.dropped
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
	case *appsv1.StatefulSet:
		about += fmt.Sprintf(" generation %d/%d stamp %s template %s secrets %v revisions %s %s", o.Generation, o.Status.ObservedGeneration,
			o.Spec.Template.Annotations[opsv1.AnnotationRestart], o.Annotations[opsv1.AnnotationTemplateHash],
			steps.SecretVolumes(o.Spec.Template.Spec), o.Status.CurrentRevision, o.Status.UpdateRevision)
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
