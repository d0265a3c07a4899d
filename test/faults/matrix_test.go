//go:build lab && faults

package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// matrix is the table of operations and faults: cases that passed of those that were run.
func matrix(verdicts []verdict) string {
	type cell struct{ run, passed, missed int }
	cells := map[[2]string]cell{}
	var rows []string
	total := cell{}
	for _, v := range verdicts {
		row := v.scenario.name + " " + v.sample.title
		if !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
		c := cells[[2]string{row, v.fault.name}]
		c.run, total.run = c.run+1, total.run+1
		if len(v.wrong) == 0 {
			c.passed, total.passed = c.passed+1, total.passed+1
		}
		if !v.struck {
			c.missed, total.missed = c.missed+1, total.missed+1
		}
		cells[[2]string{row, v.fault.name}] = c
	}
	slices.Sort(rows)
	var b strings.Builder
	b.WriteString("passed/run\n")
	fmt.Fprintf(&b, "%-44s", "")
	for _, f := range faults {
		fmt.Fprintf(&b, " %*s", len(f.name), f.name)
	}
	for _, row := range rows {
		fmt.Fprintf(&b, "\n%-44s", row)
		for _, f := range faults {
			c, text := cells[[2]string{row, f.name}], "-"
			if c.run > 0 {
				text = fmt.Sprintf("%d/%d", c.passed, c.run)
			}
			fmt.Fprintf(&b, " %*s", len(f.name), text)
		}
	}
	fmt.Fprintf(&b, "\n%d cases run, %d passed, %d of them at a second try; in %d the operation ended before it came to that point",
		total.run, total.passed, len(secondTries(verdicts)), total.missed)
	return b.String()
}

// secondTries are the names of the cases that failed and, when they were played once more, passed.
func secondTries(verdicts []verdict) []string {
	var names []string
	for _, v := range verdicts {
		if v.earlier != nil && len(v.wrong) == 0 {
			names = append(names, v.name())
		}
	}
	return names
}

// effort tells how long one case takes in its dock, by its parts.
func effort(verdicts []verdict) string {
	if len(verdicts) == 0 {
		return ""
	}
	var total stages
	for _, v := range verdicts {
		total.add(v.spent)
	}
	each := func(d time.Duration) string {
		return (d / time.Duration(len(verdicts))).Round(10 * time.Millisecond).String()
	}
	return fmt.Sprintf("; each takes its dock %s to be made, %s to begin, %s to be played and %s to be closed",
		each(total.digging), each(total.preparing), each(total.playing), each(total.closing))
}
