package steps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// IndexWorkload is the cache index of pods by the name of the workload that they are named after.
const IndexWorkload = "workload"

// Cluster reads what belongs to a database, from watch caches.
type Cluster struct {
	Client client.Reader
	// Kind of the databases.
	Kind engines.Kind
	// Workloads says what StatefulSets are kept as.
	Workloads apply.Workloads
}

// Workload returns the database's workload of that name, or nil.
func (c *Cluster) Workload(ctx context.Context, db engines.Database, name string) (*appsv1.StatefulSet, error) {
	set, err := c.Workloads.Get(ctx, c.Client, client.ObjectKey{Namespace: db.GetNamespace(), Name: name})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading %s %s: %w", c.Workloads.Kind(), name, err)
	case !metav1.IsControlledBy(set, db):
		return nil, nil // a stranger's workload is none of ours
	}
	return set, nil
}

// Pods returns the database's pods that are named after a workload of its, in order of their ordinals. A database of
// another kind may have a workload of the same name.
func (c *Cluster) Pods(ctx context.Context, db engines.Database, workload string) ([]corev1.Pod, error) {
	pods, err := podsOf(ctx, c.Client, c.Kind, db, client.MatchingFields{IndexWorkload: workload})
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return cmp.Compare(ordinal(a.Name), ordinal(b.Name)) })
	return pods, err
}

// podsOf lists the pods of a database, or some of them.
func podsOf(ctx context.Context, from client.Reader, kind engines.Kind, db engines.Database, which ...client.ListOption) ([]corev1.Pod, error) {
	var list corev1.PodList
	which = append(which, client.InNamespace(db.GetNamespace()), client.MatchingLabels(engines.SelectorLabels(kind, db)))
	if err := from.List(ctx, &list, which...); err != nil {
		return nil, fmt.Errorf("listing the pods of %s: %w", db.GetName(), err)
	}
	return list.Items, nil
}

// Budgets returns the PodDisruptionBudgets of the namespace that select the pod.
func (c *Cluster) Budgets(ctx context.Context, pod *corev1.Pod) ([]policyv1.PodDisruptionBudget, error) {
	var list policyv1.PodDisruptionBudgetList
	if err := c.Client.List(ctx, &list, client.InNamespace(pod.Namespace)); err != nil {
		return nil, fmt.Errorf("listing PodDisruptionBudgets: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(b policyv1.PodDisruptionBudget) bool {
		return !selects(b.Spec.Selector, pod.Labels)
	}), nil
}

// WorkloadOf is the name of the workload that a pod belongs to: its own name without the ordinal; empty where there is none.
// Names, not owner references, because a pod of a detached workload has no owner.
func WorkloadOf(pod string) string {
	workload, _ := split(pod)
	return workload
}

func ordinal(pod string) int32 {
	_, n := split(pod)
	return n
}

// split reads a pod's name as its controller writes it; the ordinal of any other name is -1. A claim reads alike.
func split(pod string) (workload string, ordinal int32) {
	i := strings.LastIndexByte(pod, '-')
	n, err := strconv.ParseInt(pod[i+1:], 10, 32)
	if i <= 0 || err != nil || n < 0 || strconv.FormatInt(n, 10) != pod[i+1:] {
		return "", -1
	}
	return pod[:i], int32(n)
}

// View turns a workload and its pods into values.
func View(set *appsv1.StatefulSet, pods []corev1.Pod) ops.Workload {
	w := ops.Workload{
		Name: set.Name, Replicas: 1, Generation: set.Generation,
		ObservedGeneration: set.Status.ObservedGeneration, UpdateRevision: set.Status.UpdateRevision,
	}
	if set.Spec.Replicas != nil {
		w.Replicas = *set.Spec.Replicas
	}
	for i := range pods {
		if p := &pods[i]; ordinal(p.Name) >= 0 && ordinal(p.Name) < w.Replicas {
			w.Pods = append(w.Pods, viewPod(p))
		}
	}
	return w
}

func viewPod(p *corev1.Pod) ops.Pod {
	v := ops.Pod{
		Name: p.Name, UID: p.UID, Ordinal: ordinal(p.Name),
		Revision: p.Labels[appsv1.StatefulSetRevisionLabel], Created: p.CreationTimestamp.Time,
		Ready: podReady(p), Terminating: p.DeletionTimestamp != nil, Leaving: leavingSince(p),
	}
	if v.Ready {
		v.ReadySince = readiness(p).LastTransitionTime.Time
	}
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		addContainer(&v, s)
	}
	if v.Problem == "" {
		v.Problem = unschedulable(p)
		v.Unschedulable = v.Problem != ""
	}
	if v.Problem == "" && !v.Ready {
		v.Lately = lately(p)
	}
	v.Started = slices.ContainsFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool {
		return s.State.Running != nil || s.RestartCount > 0
	})
	return v
}

// addContainer adds what a container says of its pod.
func addContainer(v *ops.Pod, s corev1.ContainerStatus) {
	v.Restarts = max(v.Restarts, s.RestartCount)
	if end := s.LastTerminationState.Terminated; end != nil && end.FinishedAt.After(v.Died) {
		v.Died = end.FinishedAt.Time
	}
	if w := s.State.Waiting; w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
		v.CrashLooping = v.CrashLooping || w.Reason == "CrashLoopBackOff"
		v.Problem = problem(s)
	}
}

// leavingSince is when the pod was told to go; zero if it was not. Its deletion timestamp is when the time for that is up.
func leavingSince(p *corev1.Pod) time.Time {
	switch {
	case p.DeletionTimestamp == nil:
		return time.Time{}
	case p.DeletionGracePeriodSeconds == nil:
		return p.DeletionTimestamp.Time
	}
	return p.DeletionTimestamp.Add(-time.Duration(*p.DeletionGracePeriodSeconds) * time.Second)
}

// viewBudgets turns budgets into values.
func viewBudgets(budgets []policyv1.PodDisruptionBudget) []ops.Budget {
	seen := make([]ops.Budget, len(budgets))
	for i, b := range budgets {
		policy := b.Spec.UnhealthyPodEvictionPolicy
		seen[i] = ops.Budget{
			Name: b.Name, Current: b.Status.ObservedGeneration == b.Generation,
			Healthy: b.Status.CurrentHealthy, Desired: b.Status.DesiredHealthy, Expected: b.Status.ExpectedPods,
			Allowed: b.Status.DisruptionsAllowed, AlwaysAllow: policy != nil && *policy == policyv1.AlwaysAllow,
		}
	}
	return seen
}

// problem is the container's own account of why it does not run: what the kubelet says, and how it last ended.
func problem(s corev1.ContainerStatus) string {
	text := fmt.Sprintf("container %s is in %s", s.Name, s.State.Waiting.Reason)
	switch ended, why := ending(s), s.State.Waiting.Message; {
	case ended != "":
		text += ": it " + ended
	case why != "":
		text += ": " + ops.Clip(why, longestWhy)
	}
	return text
}

// How much of what a kubelet and of what a container says is told, in bytes.
const (
	longestWhy = 300
	longestEnd = 2048 // what a container says itself as it ends
)

// ending is how a container ended last; empty if it never has.
func ending(s corev1.ContainerStatus) string {
	t := s.LastTerminationState.Terminated
	if t == nil {
		return ""
	}
	text := fmt.Sprintf("ended with exit code %d", t.ExitCode)
	if t.Message != "" {
		text += ": " + ops.Clip(t.Message, longestEnd)
	}
	return text
}

// lately is what tells why a pod that runs is not Ready: how a container of it ended before, or what its node says.
func lately(p *corev1.Pod) string {
	for _, s := range p.Status.ContainerStatuses {
		if ended := ending(s); ended != "" && !s.Ready {
			return "container " + s.Name + " runs again; it " + ended
		}
	}
	if c := readiness(p); c != nil && c.Status != corev1.ConditionTrue {
		return ops.Clip(c.Message, longestWhy)
	}
	return ""
}

func unschedulable(p *corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return "it cannot be scheduled: " + c.Message
		}
	}
	return ""
}

// podReady tells whether the pod's Ready condition is True.
func podReady(p *corev1.Pod) bool {
	c := readiness(p)
	return c != nil && c.Status == corev1.ConditionTrue
}

// readiness is the pod's condition Ready; nil when it has none.
func readiness(p *corev1.Pod) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == corev1.PodReady {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

func selects(s *metav1.LabelSelector, set map[string]string) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labels.Set(set))
}
