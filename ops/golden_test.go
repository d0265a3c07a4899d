package ops

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with testdata/<name>.golden.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./ops -update", err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got); if that is meant: go test ./ops -update\n%s", file, diff)
	}
}

// noStrays fails if the folder holds golden files that no test case writes.
func noStrays(t *testing.T, folder string, names map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := filepath.Base(file[:len(file)-len(".golden")]); !names[name] {
			t.Errorf("%s belongs to no test case", file)
		}
	}
}
