package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/drydock-db/drydock/ops"
)

// blockedRetry is how long a refused eviction rests. A budget that changes wakes us earlier; this is for refusals that
// no watch tells of.
const blockedRetry = 10 * time.Second

// Reasons of waiting steps that pods give.
const (
	ReasonEvictionBlocked = "EvictionBlocked"
	ReasonWorkloadMissing = "WorkloadMissing"
)

// rollPods lets one pod leave, if it is time for one.
func (x *Executor) rollPods(ctx context.Context, t *Target, a ops.RollPods) (ops.Outcome, error) {
	if skip, err := x.needsNoTrust(ctx, t, a.To); skip || err != nil {
		return done("no pod has gone further"), err
	}
	g, err := x.look(ctx, t, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	side, err := x.side(ctx, t, a.To)
	if err != nil {
		return ops.Outcome{}, err
	}
	if g.live == nil || !Runs(g.live, side.Workloads[a.Group]) {
		// Deleted or changed by hand, or the cache is behind: the workload is applied again, which changes nothing if it is there.
		if err := x.applyWorkload(ctx, t, a.To, a.Group); err != nil {
			return ops.Outcome{}, err
		}
		return waiting(ops.ReasonWorkloadNotObserved, "waiting for the workload %s to be seen with the requested template", g.Workload), nil
	}
	roll := ops.NextPod(View(g.live, g.pods))
	if roll.Evict == nil {
		return roll.Outcome, nil
	}
	return x.evict(ctx, g, roll)
}

// evict asks the Eviction API to remove the pod, if the budgets that are seen allow it.
func (x *Executor) evict(ctx context.Context, g group, roll ops.Roll) (ops.Outcome, error) {
	pod := podNamed(g.pods, roll.Evict.Name)
	budgets, err := x.Cluster.Budgets(ctx, pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	if o, wait := judge(budgets, pod, g.pods, roll); wait {
		return o, nil
	}
	uid := pod.UID
	err = x.Client.SubResource("eviction").Create(ctx, pod, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}},
	})
	switch {
	case err == nil, apierrors.IsNotFound(err):
		// Gone already: the watch will show the new pod. A conflict is an error: the pod may have been replaced, but the
		// budget may as well have been written in between, and then nothing would wake us.
		return roll.Outcome, nil
	case apierrors.IsTooManyRequests(err):
		// The budgets that were seen allow it, so they are about to change and the watch will show that.
		o := roll.Outcome
		o.After = blockedRetry
		return o, nil
	}
	return ops.Outcome{}, fmt.Errorf("evicting pod %s: %w", pod.Name, err)
}

// judge reads the budgets before an eviction is tried: a call that must be refused is not made, and a budget whose
// status only lags behind the pods is not worth a word, since its next change wakes us.
func judge(budgets []policyv1.PodDisruptionBudget, pod *corev1.Pod, group []corev1.Pod, roll ops.Roll) (ops.Outcome, bool) {
	if len(budgets) > 1 {
		names := make([]string, len(budgets))
		for i, b := range budgets {
			names[i] = b.Name
		}
		return blocked("pod %s is covered by more than one PodDisruptionBudget (%s), which the Eviction API does not support: delete the extra one",
			pod.Name, strings.Join(names, ", ")), true
	}
	if len(budgets) == 0 || !PodReady(pod) || budgets[0].Status.DisruptionsAllowed > 0 {
		return ops.Outcome{}, false
	}
	b := budgets[0]
	if _, leaving := b.Status.DisruptedPods[pod.Name]; leaving {
		return roll.Outcome, true // evicted already, and the cache does not show it yet
	}
	if b.Status.ObservedGeneration != b.Generation || b.Status.CurrentHealthy < ready(group) {
		return roll.Outcome, true
	}
	return blocked("PodDisruptionBudget %s does not allow pod %s to leave: %d of %d pods are healthy and %d are needed",
		b.Name, pod.Name, b.Status.CurrentHealthy, b.Status.ExpectedPods, b.Status.DesiredHealthy), true
}

func ready(pods []corev1.Pod) int32 {
	var n int32
	for i := range pods {
		if PodReady(&pods[i]) && pods[i].DeletionTimestamp == nil {
			n++
		}
	}
	return n
}

func blocked(format string, args ...any) ops.Outcome {
	o := waiting(ReasonEvictionBlocked, format, args...)
	o.After = blockedRetry
	return o
}

func podNamed(pods []corev1.Pod, name string) *corev1.Pod {
	for i := range pods {
		if pods[i].Name == name {
			return &pods[i]
		}
	}
	return nil
}
