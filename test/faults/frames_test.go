//go:build lab && faults

package faults

import (
	"sync"
	"time"
)

// dropper loses one watch event, whichever watch it comes by.
type dropper struct {
	mu    sync.Mutex
	armed bool
	count int
	at    int
	lost  string
}

// arm counts from zero again and loses event k; 0 loses none.
func (d *dropper) arm(k int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed, d.count, d.at, d.lost = true, 0, k, ""
}

// seen is the number of events since it was armed, and what was lost.
func (d *dropper) seen() (count int, lost string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count, d.lost
}

func (d *dropper) loses(f frame) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.armed || f.Type == "BOOKMARK" {
		return false
	}
	d.count++
	if d.count != d.at {
		return false
	}
	d.lost = f.Type + " " + f.name()
	return true
}

func (d *dropper) filter(in stream) stream {
	out := make(chan frame)
	go func() {
		defer close(out)
		for f := range in {
			if !d.loses(f) {
				out <- f
			}
		}
	}()
	return out
}

// window is how long events gather before they are told as one.
const window = 250 * time.Millisecond

// coalesce gathers events and tells only the last state of each object, as a client sees it that lists again: a
// deletion and a creation become a change.
func coalesce(in stream) stream {
	out := make(chan frame)
	go func() {
		defer close(out)
		var batch []frame
		timer := time.NewTicker(window)
		defer timer.Stop()
		for {
			select {
			case f, more := <-in:
				if !more {
					return
				}
				batch = append(batch, f)
			case <-timer.C:
				for _, f := range merged(batch) {
					out <- f
				}
				batch = nil
			}
		}
	}()
	return out
}

// merged keeps the last frame of each object, at the place of its first.
func merged(batch []frame) []frame {
	var result []frame
	at := map[string]int{}
	for _, f := range batch {
		name := f.name()
		i, known := at[name]
		if f.Type == "BOOKMARK" || f.Type == "ERROR" || !known {
			if f.Type != "BOOKMARK" {
				at[name] = len(result)
			}
			result = append(result, f)
			continue
		}
		before := result[i].Type
		switch {
		case before == "ADDED" && f.Type == "MODIFIED":
			f.Type = "ADDED"
		case f.Type == "ADDED":
			f.Type = "MODIFIED"
		}
		result[i] = f
	}
	return result
}
