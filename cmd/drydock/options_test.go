package main

import (
	"crypto/tls"
	"flag"
	"os"
	"slices"
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

// TestMetricsAreServedAsStrictly as webhooks are: TLS 1.3 and HTTP/1.1, whatever controller-runtime would take.
func TestMetricsAreServedAsStrictly(t *testing.T) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}
	for _, set := range servers(&options{}).Metrics.TLSOpts {
		set(config)
	}
	if config.MinVersion != tls.VersionTLS13 || !slices.Equal(config.NextProtos, []string{"http/1.1"}) {
		t.Errorf("metrics are served with TLS %x and %v", config.MinVersion, config.NextProtos)
	}
}
