//go:build lab

package bench

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/drydock-db/drydock/test/framework"
)

// row is what was measured of one operation on one number of pods.
type row struct {
	operation, beyond string
	pods, runs        int
	floor             floor
	calls             []framework.Call
	writes, reads     map[string]int
	health            int
	took, rollouts    []time.Duration
	reactions         []time.Duration
}

// rows are printed when all is measured.
type rows []row

var table rows

// count sorts the operator's calls. Writes to the database's status beyond pause and resume tell its health, which comes
// and goes with its pods, whoever restarts them.
func (r *row) count(databases string) {
	r.writes = framework.Count(r.calls, framework.Call.Write)
	r.reads = framework.Count(r.calls, func(c framework.Call) bool { return c.Verb == "get" || c.Verb == "list" })
	for what, n := range r.writes {
		if strings.HasSuffix(what, " "+databases+"/status") {
			beyond := max(n-2*r.runs, 0)
			r.health += beyond
			r.writes[what] = n - beyond
		}
	}
}

// sum of the counts in one run.
func (r *row) sum(counts map[string]int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	return r.each(total)
}

// each is a count in one run.
func (r *row) each(n int) float64 { return float64(n) / float64(max(r.runs, 1)) }

func (r *row) ratio() float64 { return r.sum(r.writes) / float64(r.floor.total()) }

// slower is how much longer the operation took than the rollouts; 0 where there were none.
func (r *row) slower() float64 {
	if len(r.rollouts) == 0 {
		return 0
	}
	return float64(median(r.took)) / float64(median(r.rollouts))
}

func (r *row) report(b *testing.B) {
	b.ReportMetric(r.sum(r.writes), "writes/op")
	b.ReportMetric(r.ratio(), "writes/floor")
	b.ReportMetric(r.each(r.health), "health/op")
	b.ReportMetric(r.sum(r.reads), "reads/op")
	b.ReportMetric(float64(median(r.took).Milliseconds()), "ms/op")
	if len(r.rollouts) > 0 {
		b.ReportMetric(r.slower(), "time/rollout")
	}
	if len(r.reactions) > 0 {
		b.ReportMetric(float64(median(r.reactions).Microseconds())/1000, "ready-to-evict-ms")
	}
}

func (t rows) print(w io.Writer) {
	if len(t) == 0 {
		return
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	line("\noperation\tpods\twrites\tfloor\twrites/floor\thealth\treads\ttime\trollout\ttime/rollout\t" +
		"ready to evict, p50\tmax\tin time, not in rollout")
	for _, r := range t {
		rollout, slower, half, most := "", "", "", ""
		if len(r.rollouts) > 0 {
			rollout, slower = median(r.rollouts).Round(time.Millisecond).String(), fmt.Sprintf("%.2f", r.slower())
		}
		if len(r.reactions) > 0 {
			half = median(r.reactions).Round(100 * time.Microsecond).String()
			most = slices.Max(r.reactions).Round(100 * time.Microsecond).String()
		}
		line("%s\t%d\t%.1f\t%d\t%.2f\t%.1f\t%.1f\t%s\t%s\t%s\t%s\t%s\t%s",
			r.operation, r.pods, r.sum(r.writes), r.floor.total(), r.ratio(), r.each(r.health), r.sum(r.reads),
			median(r.took).Round(time.Millisecond), rollout, slower, half, most, r.beyond)
	}
	line("\noperation\tpods\tits calls by verb and resource, and what its floor is made of")
	for _, r := range t {
		line("%s\t%d\twrites: %s", r.operation, r.pods, list(r.writes, r.runs))
		line("\t\tfloor: %s", list(r.floor, 1))
		line("\t\treads: %s", list(r.reads, r.runs))
	}
	_ = out.Flush()
}

// list is the counts in one run, in order of their names.
func list(counts map[string]int, runs int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		each := math.Round(10*float64(counts[what])/float64(runs)) / 10
		parts = append(parts, what+" "+strconv.FormatFloat(each, 'f', -1, 64))
	}
	return strings.Join(parts, ", ")
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}
