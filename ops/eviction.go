package ops

import "time"

// evictionTakes is how long an eviction that was granted may take to be seen.
const evictionTakes = 3 * time.Second

// Evicted is a pod that is there although its budget counts it as evicted. Mostly the cache is behind; else the disruption
// controller would wait for two minutes, and no pod could leave until then.
type Evicted struct {
	Pod string
	// Granted is when the budget let the pod of that name leave; Created is when the one that is there was made. Both
	// are kept in whole seconds.
	Granted, Created time.Time
}

// Settlement is what to do about it.
type Settlement string

const (
	// AwaitEviction says that it may yet be seen.
	AwaitEviction Settlement = "Await"
	// FinishEviction asks to delete the pod: the API server grants an eviction before it deletes the pod, and gives up in between
	// when the caller is cut off, and this is what the budget has agreed to.
	FinishEviction Settlement = "Finish"
	// ForgetEviction asks to correct the budget: it remembers names, and its entry is about a predecessor, which was gone before the
	// disruption controller looked.
	ForgetEviction Settlement = "Forget"
)

// Predecessor tells whether the entry is about an earlier pod of that name. A pod that was made in the second in which the
// eviction was granted is a successor: had it been there before, it would have been Ready for less than a second.
func (e Evicted) Predecessor() bool { return !e.Granted.After(e.Created) }

// Settle decides, and says how long to wait when it is too early.
func (e Evicted) Settle(now time.Time) (s Settlement, rest time.Duration) {
	rest = e.Granted.Add(evictionTakes).Sub(now)
	switch {
	case rest > 0:
		return AwaitEviction, rest
	case e.Predecessor():
		return ForgetEviction, 0
	}
	return FinishEviction, 0
}
