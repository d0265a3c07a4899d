// Package docs_test keeps the documents in step with the code.
package docs_test

import (
	"os"
	"strings"
	"testing"

	"github.com/drydock-db/drydock/ops"
)

// TestConditionsAreDocumented compares the table of steps with the types that plans can contain.
func TestConditionsAreDocumented(t *testing.T) {
	content, err := os.ReadFile("conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range ops.StepTypes() {
		if row := "| `" + step.Type + "` | " + step.Description + " |"; !strings.Contains(string(content), row) {
			t.Errorf("conditions.md lacks the row\n%s", row)
		}
	}
}

// TestReadmeIsShort because a newcomer reads it to the end or not at all.
func TestReadmeIsShort(t *testing.T) {
	content, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(content), "\n"); lines >= 90 {
		t.Errorf("README.md has %d lines, want fewer than 90", lines)
	}
}
