package framework

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

func TestTellsWhatFailedAndWhatWasTriedAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	report := `[{"SpecReports": [
	  {"ContainerHierarchyTexts": ["A request"], "LeafNodeText": "ends", "State": "passed"},
	  {"ContainerHierarchyTexts": ["A request"], "LeafNodeText": "waits", "State": "passed",
	   "AdditionalFailures": [{"State": "failed", "Failure": {"Message": "too\n  late", "Location": {"FileName": "a_test.go", "LineNumber": 7}}}]},
	  {"ContainerHierarchyTexts": ["A request"], "LeafNodeText": "fails", "State": "timedout",
	   "AdditionalFailures": [{"State": "failed", "Failure": {"Message": "first", "Location": {"FileName": "a_test.go", "LineNumber": 8}}}],
	   "Failure": {"Message": "second", "Location": {"FileName": "a_test.go", "LineNumber": 9}}}
	]}]`
	if err := os.WriteFile(file, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := tellAll(&b, file); err != nil {
		t.Fatal(err)
	}
	want := `ok    spec, tried again: A request waits: a_test.go:7: too late
FAIL: spec: A request fails: a_test.go:8: first
FAIL: spec: A request fails: a_test.go:9: second
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestALongMessageIsCut(t *testing.T) {
	var b strings.Builder
	spec := types.SpecReport{LeafNodeText: "fails", State: types.SpecStateFailed, Failure: types.Failure{Message: strings.Repeat("long ", 1000)}}
	if err := tellSpec(&b, spec); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); len(got) > 2000 || strings.Count(got, "\n") != 1 {
		t.Errorf("%d bytes in %d lines", len(got), strings.Count(got, "\n"))
	}
}
