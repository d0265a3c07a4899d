package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
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
	if past, err := x.pastTrust(ctx, t, a.To, g); past || err != nil {
		return done("every pod has gone further"), err
	}
	side, err := x.side(ctx, t, a.To)
	if err != nil {
		return ops.Outcome{}, err
	}
	if out, err := x.templated(ctx, t, a, g, side.Workloads[a.Group]); err != nil || !out.IsDone() {
		return out, err
	}
	return x.rollNext(ctx, t, g)
}

// templated applies a workload again that was deleted or changed by hand, and waits until it has the template that is asked for.
func (x *Executor) templated(ctx context.Context, t *Target, a ops.RollPods, g group, saved *appsv1.StatefulSet) (ops.Outcome, error) {
	if g.live != nil && (runs(g.live, saved) || x.settledFor(g.live, saved)) {
		return done("workload %s has the requested template", g.Workload), nil
	}
	changed, err := x.applyWorkload(ctx, t, a.To, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	if changed || g.live == nil || !sameTemplate(g.live, saved) {
		return waiting(ops.ReasonWorkloadNotObserved, "waiting for the workload %s to be seen with the requested template", g.Workload), nil
	}
	return done("workload %s has the requested template, and what others have added", g.Workload), nil
}

// settledFor tells whether applying that state to the live workload changed nothing, although it looks different: admission of the
// cluster's changes every such workload, or somebody has added what is not the operator's to remove. Its pods run that, then.
func (x *Executor) settledFor(live, saved *appsv1.StatefulSet) bool {
	generation, ok := x.settled.Get(live.UID)
	return ok && generation == live.Generation && sameTemplate(live, saved)
}

// rollNext lets the next pod leave, if it is time for it, and says since when that pod has had its turn.
func (x *Executor) rollNext(ctx context.Context, t *Target, g group) (out ops.Outcome, err error) {
	w := View(g.live, g.pods)
	w.Tried = t.Tried
	roll := ops.NextPod(w)
	if out = roll.Outcome; roll.Evict != nil {
		if out, err = x.keepsData(ctx, t, g, roll.Evict.Name); err == nil && out.IsDone() {
			out, err = x.evict(ctx, g, roll)
		}
	}
	out.Turn = roll.Turn
	// Between two pods of a name there is none that tells when the first was told to go.
	if evicted, ok := x.evicted.Get(g.live.UID); ok && out.Turn.Before(evicted.(time.Time)) {
		out.Turn = evicted.(time.Time)
	}
	// Before the first pod is done, the step's own beginning counts, which is later than the plan's.
	if out.Turn.Before(t.Since) {
		out.Turn = t.Since
	}
	if err != nil || out.Status != ops.Waiting || !roll.Unstarted {
		return out, err
	}
	return x.whyUnstarted(ctx, t, g, out)
}

// slow is how long a pod may take to start before it is asked whether a Secret is missing that it mounts.
const slow = 20 * time.Second

// whyUnstarted says which Secrets are missing that keep a pod from starting: the pod itself does not tell.
func (x *Executor) whyUnstarted(ctx context.Context, t *Target, g group, out ops.Outcome) (ops.Outcome, error) {
	if rest := slow - x.now().Sub(out.Turn); rest > 0 {
		if out.After == 0 || rest < out.After {
			out.After = rest
		}
		return out, nil
	}
	needs := SecretNeeds{}
	needs.AddPod(g.live.Spec.Template.Spec)
	problems, err := x.Lacks(ctx, t.Database.Object.GetNamespace(), needs)
	if len(problems) > 0 {
		out.Message += "; it does not start: " + strings.Join(problems, ", ")
	}
	return out, err
}

// keepsData waits while a pod would not find its data again if it left.
func (x *Executor) keepsData(ctx context.Context, t *Target, g group, pod string) (ops.Outcome, error) {
	claims, err := x.claims(ctx, x.Client, t, g.Group, pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	for name, claim := range claims {
		if claim != nil && going(claim) {
			return waiting(ops.ReasonClaimMissing, "claim %s is being deleted or has lost its volume; pod %s, which would not find its data again, stays", name, pod), nil
		}
	}
	return done("pod %s finds its data again", pod), nil
}

// evict asks the Eviction API to remove the pod, if the budgets that are seen allow it. Before that the workload has to be
// the latest: caches fill one by one, and pods that are newer than their workload look out of date.
func (x *Executor) evict(ctx context.Context, g group, roll ops.Roll) (ops.Outcome, error) {
	if err := x.Apply.Latest(ctx, g.live, x.now()); err != nil {
		return ops.Outcome{}, err
	}
	pod := podNamed(g.pods, roll.Evict.Name)
	budgets, err := x.Cluster.Budgets(ctx, pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	if len(budgets) == 1 {
		if e := remembered(&budgets[0], pod, g.pods); e != nil {
			return x.settleEviction(ctx, g, &budgets[0], *e, roll)
		}
	}
	seen := viewBudgets(budgets)
	if o, wait := roll.Hold(seen, x.now()); wait {
		return o, nil
	}
	uid := pod.UID
	err = x.Client.SubResource("eviction").Create(ctx, pod, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}},
	})
	switch {
	case err == nil:
		x.evicted.Add(g.live.UID, x.now(), rememberFor)
		return roll.Outcome, nil
	case apierrors.IsNotFound(err):
		// Gone already: the watch will show the new pod. A conflict is an error: the pod may have been replaced, but the
		// budget may as well have been written in between, and then nothing would wake us.
		return roll.Outcome, nil
	case apierrors.IsTooManyRequests(err):
		return roll.Refused(seen), nil
	}
	return ops.Outcome{}, fmt.Errorf("evicting pod %s: %w", pod.Name, err)
}

// remembered finds a pod that the budget counts as evicted and that is there: the one that is to leave, or else another of
// the group whose predecessor was evicted. Either keeps the budget from letting any pod leave.
func remembered(budget *policyv1.PodDisruptionBudget, next *corev1.Pod, group []corev1.Pod) *ops.Evicted {
	look := func(p *corev1.Pod) *ops.Evicted {
		granted, ok := budget.Status.DisruptedPods[p.Name]
		if !ok {
			return nil
		}
		return &ops.Evicted{Pod: p.Name, Granted: granted.Time, Created: p.CreationTimestamp.Time}
	}
	if e := look(next); e != nil {
		return e
	}
	for i := range group {
		p := &group[i]
		if e := look(p); e != nil && e.Predecessor() && PodUp(p) {
			return e
		}
	}
	return nil
}

// settleEviction does about a pod that its budget counts as evicted and that is there what ops decides.
func (x *Executor) settleEviction(ctx context.Context, g group, budget *policyv1.PodDisruptionBudget, e ops.Evicted, roll ops.Roll) (ops.Outcome, error) {
	settlement, rest := e.Settle(x.now())
	switch settlement {
	case ops.AwaitEviction:
		o := roll.Outcome
		o.After = rest
		return o, nil
	case ops.FinishEviction:
		pod := podNamed(g.pods, e.Pod)
		if err := apply.DeleteExact(ctx, x.Client, pod); err != nil {
			return ops.Outcome{}, fmt.Errorf("finishing the eviction of pod %s: %w", pod.Name, err)
		}
		return roll.Outcome, nil
	case ops.ForgetEviction:
		return roll.Outcome, x.forgetEviction(ctx, budget, e.Pod)
	}
	return ops.Outcome{}, fmt.Errorf("unknown settlement %q", settlement)
}

// forgetEviction removes what a budget remembers of the eviction of a pod that is gone.
func (x *Executor) forgetEviction(ctx context.Context, budget *policyv1.PodDisruptionBudget, pod string) error {
	body := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q},"status":{"disruptedPods":{%q:null}}}`, budget.ResourceVersion, pod)
	if err := x.Client.Status().Patch(ctx, budget, client.RawPatch(types.MergePatchType, body), apply.FieldOwner); err != nil {
		return fmt.Errorf("correcting PodDisruptionBudget %s: %w", budget.Name, err)
	}
	return nil
}

// PodUp tells whether a pod is Ready and stays.
func PodUp(p *corev1.Pod) bool { return podReady(p) && p.DeletionTimestamp == nil }

func podNamed(pods []corev1.Pod, name string) *corev1.Pod {
	for i := range pods {
		if pods[i].Name == name {
			return &pods[i]
		}
	}
	return nil
}
