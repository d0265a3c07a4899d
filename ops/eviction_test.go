package ops

import (
	"testing"
	"time"
)

func TestSettleEviction(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		granted, created time.Duration // before now
		want             Settlement
		rest             time.Duration
	}{
		"just now: the cache may be behind":             {time.Second, time.Hour, AwaitEviction, 2 * time.Second},
		"just now, of a pod that is newer":              {time.Second, 0, AwaitEviction, 2 * time.Second},
		"a clock ahead of ours":                         {-time.Minute, time.Hour, AwaitEviction, time.Minute + evictionTakes},
		"as long ago as it may take":                    {evictionTakes, time.Hour, FinishEviction, 0},
		"long ago: nobody deletes it any more":          {time.Minute, time.Hour, FinishEviction, 0},
		"before the pod was made: its predecessor's":    {time.Minute, time.Second, ForgetEviction, 0},
		"in the second it was made: its predecessor's":  {time.Minute, time.Minute, ForgetEviction, 0},
		"a second after it was made: the pod's own one": {time.Minute, time.Minute + time.Second, FinishEviction, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, rest := Evicted{Pod: "px-2", Granted: now.Add(-c.granted), Created: now.Add(-c.created)}.Settle(now)
			if got != c.want || rest != c.rest {
				t.Errorf("got %s after %s, want %s after %s", got, rest, c.want, c.rest)
			}
		})
	}
}
