// Package docs_test keeps the documents in step with the code.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReasonsAreConstants because conditions.md is made from the comments of constants: a reason that is written out where
// it is used would be missing there.
func TestReasonsAreConstants(t *testing.T) {
	literal := regexp.MustCompile(`((waiting|failed)\(|refusal\{|metav1\.Condition(True|False|Unknown), )"[A-Z][A-Za-z]+"`)
	read := 0
	for _, dir := range []string{"../controllers", "../internal/steps", "../internal/journal", "../ops"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			read++
			for _, found := range literal.FindAllString(string(content), -1) {
				t.Errorf("%s: %s: make it a constant with a comment", name, found)
			}
		}
	}
	if read < 30 {
		t.Errorf("only %d files were read", read)
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
