//go:build lab

package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/drydock-db/drydock/test/framework"
)

// row is what was measured of one operation on one number of pods.
type row struct {
	operation         string
	pods, floor, runs int
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
func (r *row) count(calls []framework.Call) {
	r.writes = framework.Count(calls, framework.Call.Write)
	r.reads = framework.Count(calls, func(c framework.Call) bool { return c.Verb == "get" || c.Verb == "list" })
	for what, n := range r.writes {
		if strings.HasSuffix(what, " perconaxtradbs/status") {
			r.health += n - 2*r.runs
			r.writes[what] = 2 * r.runs
		}
	}
}

func (r *row) each(counts map[string]int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / float64(max(r.runs, 1))
}

func (r *row) ratio() float64 { return r.each(r.writes) / float64(r.floor) }

// slower is how much longer the operation took than the rollouts; 0 where there were none.
func (r *row) slower() float64 {
	if len(r.rollouts) == 0 {
		return 0
	}
	return float64(median(r.took)) / float64(median(r.rollouts))
}

func (r *row) report(b *testing.B) {
	b.ReportMetric(r.each(r.writes), "writes/op")
	b.ReportMetric(r.ratio(), "writes/floor")
	b.ReportMetric(float64(r.health)/float64(r.runs), "health/op")
	b.ReportMetric(r.each(r.reads), "reads/op")
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
	line("\noperation\tpods\twrites\tfloor\tratio\thealth\treads\ttime\trollout\tratio\tready to evict, p50\tmax")
	for _, r := range t {
		rollout, slower, half, most := "", "", "", ""
		if len(r.rollouts) > 0 {
			rollout, slower = median(r.rollouts).Round(time.Millisecond).String(), fmt.Sprintf("%.2f", r.slower())
		}
		if len(r.reactions) > 0 {
			half, most = median(r.reactions).Round(100*time.Microsecond).String(), slices.Max(r.reactions).Round(100*time.Microsecond).String()
		}
		line("%s\t%d\t%.1f\t%d\t%.2f\t%.1f\t%.1f\t%s\t%s\t%s\t%s\t%s", r.operation, r.pods, r.each(r.writes), r.floor, r.ratio(),
			float64(r.health)/float64(r.runs), r.each(r.reads), median(r.took).Round(time.Millisecond), rollout, slower, half, most)
	}
	line("\ncalls of one operation, by verb and resource")
	for _, r := range t {
		for _, counts := range []map[string]int{r.writes, r.reads} {
			for _, what := range slices.Sorted(maps.Keys(counts)) {
				line("%s\t%d\t%.1f\t%s", r.operation, r.pods, float64(counts[what])/float64(r.runs), what)
			}
		}
	}
	_ = out.Flush()
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}
