package framework

import (
	"maps"
	"slices"
	"strings"
)

// Setting returns what a server that reads those files in the order of their names ends up with for a key of a section,
// and whether any file says so. Dashes in keys are underscores, comments do not count, the last one wins. It is a
// reading of its own, so that the operator's is not checked against itself.
func Setting(files map[string][]byte, section, key string) (string, bool) {
	value, found := "", false
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".cnf") {
			continue
		}
		at := ""
		for line := range strings.Lines(string(files[name])) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || line[0] == '#' || line[0] == ';':
			case line[0] == '[':
				at = strings.Trim(line, "[]")
			default:
				k, v, _ := strings.Cut(line, "=")
				if at == section && strings.ReplaceAll(strings.TrimSpace(k), "-", "_") == strings.ReplaceAll(key, "-", "_") {
					value, found = strings.TrimSpace(v), true
				}
			}
		}
	}
	return value, found
}
