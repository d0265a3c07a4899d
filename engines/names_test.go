package engines

import (
	"strings"
	"testing"
)

func TestSuffixed(t *testing.T) {
	long := strings.Repeat("a", 70)
	for _, c := range []struct {
		name  string
		parts []string
		want  string
	}{
		{"sdb", nil, "sdb"},
		{"sdb", []string{"", "leaf"}, "sdb-leaf"},
		{"sdb", []string{"blue", "leaf"}, "sdb-blue-leaf"},
		{long, nil, long[:63]},
		{long, []string{"aggregator"}, long[:52] + "-aggregator"},
		{"sdb", []string{long}, "s" + long[:62]},
	} {
		if got := Suffixed(c.name, c.parts...); got != c.want {
			t.Errorf("Suffixed(%q, %q) = %q, want %q", c.name, c.parts, got, c.want)
		}
	}
}
