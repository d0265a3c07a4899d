//go:build lab && faults

package faults

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// trouble is a test that says at its end once more what was wrong, in lines that begin as go test's verdicts do: a run takes
// half an hour, and whoever reads of it later may have no more than its last lines.
type trouble struct {
	*testing.T
	mu    sync.Mutex
	lines []string
}

// Errorf is testing.T's, and keeps what it says.
func (t *trouble) Errorf(format string, args ...any) {
	t.Helper()
	t.T.Errorf(format, args...)
	t.keep(fmt.Sprintf(format, args...))
}

// Fatalf is testing.T's, and keeps what it says.
func (t *trouble) Fatalf(format string, args ...any) {
	t.Helper()
	t.keep(fmt.Sprintf(format, args...))
	t.T.Fatalf(format, args...)
}

func (t *trouble) keep(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, strings.Join(strings.Fields(text), " "))
}

// summarize prints what was kept.
func (t *trouble) summarize() {
	const most, length = 30, 1500
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range t.lines[:min(most, len(t.lines))] {
		fmt.Printf("FAIL: fault matrix: %s\n", line[:min(length, len(line))])
	}
}
