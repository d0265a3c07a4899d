package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

// TestFlagsAreDocumented: whoever installs the operator finds every setting in one table.
func TestFlagsAreDocumented(t *testing.T) {
	content, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	var o options
	flags := flag.NewFlagSet("drydock", flag.ContinueOnError)
	o.bind(flags)
	flags.VisitAll(func(f *flag.Flag) {
		for line := range strings.Lines(string(content)) {
			if strings.HasPrefix(line, "| `--") && strings.Contains(line, "`--"+f.Name+"`") {
				return
			}
		}
		t.Errorf("docs/install.md has no row about --%s (%s)", f.Name, f.Usage)
	})
}
