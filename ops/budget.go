package ops

import (
	"fmt"
	"strings"
	"time"
)

// ReasonEvictionBlocked means that a PodDisruptionBudget does not let the pod leave; the message names it.
const ReasonEvictionBlocked = "EvictionBlocked"

// blockedRetry is how long an eviction rests that was refused although the budgets that are seen allow it. What the budgets
// explain ends with a change of theirs, which wakes us.
const blockedRetry = 10 * time.Second

// budgetTakes is how long a budget may take to see that a pod is Ready.
const budgetTakes = 3 * time.Second

// Budget is a PodDisruptionBudget that covers a pod, as it was seen.
type Budget struct {
	Name string
	// Current tells that its controller has seen its latest change.
	Current bool
	// Healthy of the Expected pods are Ready, Desired have to be, so that Allowed may leave.
	Healthy, Desired, Expected, Allowed int32
	// AlwaysAllow says that pods which are not Ready may leave whatever the numbers are.
	AlwaysAllow bool
}

// Hold reads the budgets that cover the pod which is to leave, before its eviction is tried: a call that must be refused is
// not made. It says why the pod has to wait, or that it has not to. A budget whose status only lags behind the pods is not
// worth a word, since its next change wakes us.
func (r Roll) Hold(budgets []Budget, now time.Time) (o Outcome, wait bool) {
	if len(budgets) > 1 {
		names := make([]string, len(budgets))
		for i, b := range budgets {
			names[i] = b.Name
		}
		return blocked("pod %s is covered by more than one PodDisruptionBudget (%s), which the Eviction API does not support: delete the extra one",
			r.Evict.Name, strings.Join(names, ", ")), true
	}
	if len(budgets) == 0 || !r.Evict.Ready || budgets[0].Allowed > 0 {
		return Outcome{}, false
	}
	b := budgets[0]
	if !b.Current || b.Healthy < r.healthy {
		o = r.Outcome
		o.Quiet = r.lag(now)
		return o, true
	}
	return blocked("PodDisruptionBudget %s does not allow pod %s to leave: %d of %d pods are healthy and %d are needed",
		b.Name, r.Evict.Name, b.Healthy, b.Expected, b.Desired), true
}

// lag is how long a budget may still take to see the last pod that became Ready. It is zero where the clocks of the pods' nodes
// say nothing of that.
func (r Roll) lag(now time.Time) time.Duration {
	if now.Before(r.lastReady) {
		return 0
	}
	return max(0, r.lastReady.Add(budgetTakes).Sub(now))
}

// Refused reads the budgets after an eviction was refused that Hold had let through. Of a Ready pod they allow it, so they are
// about to change, and that is not worth a word. Of one that is not Ready the policy of the budget decides: by default it stays
// while the budget lacks healthy pods.
func (r Roll) Refused(budgets []Budget) Outcome {
	o, explained := r.Outcome, false
	if len(budgets) == 1 && !r.Evict.Ready && !budgets[0].AlwaysAllow {
		b := budgets[0]
		o = blocked("PodDisruptionBudget %s does not allow pod %s to leave, although it is not Ready: %d of %d pods are healthy and %d are needed; "+
			"set its unhealthyPodEvictionPolicy to AlwaysAllow", b.Name, r.Evict.Name, b.Healthy, b.Expected, b.Desired)
		explained = b.Allowed == 0 && (b.Healthy < b.Desired || b.Desired == 0)
	}
	if !explained {
		o.After = blockedRetry
	}
	return o
}

func blocked(format string, args ...any) Outcome {
	return Outcome{Status: Waiting, Reason: ReasonEvictionBlocked, Message: fmt.Sprintf(format, args...)}
}
