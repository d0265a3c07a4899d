//go:build lab && faults

package faults

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// apiAccess is the name of the volume with a pod's token, which ends at random.
var apiAccess = regexp.MustCompile(`kube-api-access-[a-z0-9]{5}`)

// dropStamp removes the restart stamp from the metadata at that path.
func dropStamp(content map[string]any, path ...string) {
	for _, field := range append(path, "metadata", "annotations") {
		next, ok := content[field].(map[string]any)
		if !ok {
			return
		}
		content = next
	}
	delete(content, opsv1.AnnotationRestart)
}

// stripConditions makes a map of a list of conditions, without times.
func stripConditions(status map[string]any, messages bool) {
	list, _ := status["conditions"].([]any)
	conditions := map[string]any{}
	for _, item := range list {
		c, _ := item.(map[string]any)
		text := fmt.Sprintf("%v, %v", c["status"], c["reason"])
		if messages {
			text += fmt.Sprintf(": %v", c["message"])
		}
		conditions[fmt.Sprint(c["type"])] = text
	}
	status["conditions"] = conditions
}

// flatten writes a value down, one line for each leaf.
func flatten(path string, value any, lines *[]string) {
	switch v := value.(type) {
	case map[string]any:
		for k, item := range v {
			flatten(path+" "+k, item, lines)
		}
	case []any:
		for i, item := range v {
			flatten(fmt.Sprintf("%s %d", path, i), item, lines)
		}
	default:
		*lines = append(*lines, fmt.Sprintf("%s: %v", path, v))
	}
}

// difference of two sorted texts: what is only in the first, with a minus, and only in the second, with a plus.
func difference(want, have []string) []string {
	var diff []string
	i, j := 0, 0
	for i < len(want) || j < len(have) {
		switch {
		case j == len(have), i < len(want) && want[i] < have[j]:
			diff = append(diff, "- "+want[i])
			i++
		case i == len(want), have[j] < want[i]:
			diff = append(diff, "+ "+have[j])
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return diff
}

// without leaves out the lines that match.
func without(lines []string, pattern *regexp.Regexp) []string {
	return slices.DeleteFunc(slices.Clone(lines), pattern.MatchString)
}

// masked leaves out the parts of lines that match.
func masked(lines []string, pattern *regexp.Regexp) []string {
	rest := make([]string, len(lines))
	for i, line := range lines {
		rest[i] = pattern.ReplaceAllString(line, "")
	}
	slices.Sort(rest)
	return rest
}

// shorten keeps the beginning of a list for people.
func shorten(lines []string, most int) string {
	if len(lines) > most {
		lines = append(slices.Clone(lines[:most]), fmt.Sprintf("… and %d more", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}
