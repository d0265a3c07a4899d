package steps

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// expandVolumes raises the requests of the group's claims, or of the one claim of a stopped pod, and waits until they
// have grown.
func (x *Executor) expandVolumes(ctx context.Context, t *Target, a ops.ExpandVolumes) (ops.Outcome, error) {
	g, ok := t.Saved.Topology.Group(a.Group)
	if !ok {
		return ops.Outcome{}, fmt.Errorf("the saved revision has no group %q", a.Group)
	}
	want := t.Request.Volumes[a.Group]
	claims, err := x.claims(ctx, t, g, a.Pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	e := ops.Expand(viewClaims(claims), want, a.Pod != "")
	for _, name := range e.Grow {
		if err := x.grow(ctx, claims[name], want); err != nil {
			if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
				return failed("ExpansionRefused", "%s; %v", e.Outcome.Message, err), nil
			}
			return ops.Outcome{}, err
		}
	}
	return e.Outcome, nil
}

// grow raises the request of one claim, from the size that was seen.
func (x *Executor) grow(ctx context.Context, claim *corev1.PersistentVolumeClaim, want resource.Quantity) error {
	body := fmt.Appendf(nil, `{"metadata":{"uid":%q,"resourceVersion":%q},"spec":{"resources":{"requests":{"storage":%q}}}}`,
		claim.UID, claim.ResourceVersion, want.String())
	err := x.Client.Patch(ctx, claim.DeepCopy(), client.RawPatch(types.MergePatchType, body), apply.FieldOwner)
	if err != nil {
		return fmt.Errorf("growing claim %s: %w", claim.Name, err)
	}
	return nil
}

// claims reads the group's claims in order of their ordinals, or that of one pod; one that does not exist is nil.
func (x *Executor) claims(ctx context.Context, t *Target, g ops.Group, pod string) (claimSet, error) {
	set := claimSet{}
	for ordinal := range g.Replicas {
		if pod != "" && g.Pod(ordinal) != pod {
			continue
		}
		var claim corev1.PersistentVolumeClaim
		key := client.ObjectKey{Namespace: t.Database.Object.GetNamespace(), Name: g.Claim(ordinal)}
		err := x.Client.Get(ctx, key, &claim)
		switch {
		case apierrors.IsNotFound(err):
			set[key.Name] = nil
		case err != nil:
			return nil, fmt.Errorf("reading claim %s: %w", key.Name, err)
		default:
			set[key.Name] = &claim
		}
	}
	return set, nil
}

// detachWorkload deletes the workload object and leaves its pods, unless its claim templates are as that side has them.
func (x *Executor) detachWorkload(ctx context.Context, t *Target, a ops.DetachWorkload) (ops.Outcome, error) {
	g, err := x.look(ctx, t, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	side, err := t.Saved.Side(a.To)
	if err != nil {
		return ops.Outcome{}, err
	}
	if g.live != nil && sameClaims(g.live, side.Workloads[a.Group]) {
		return done("workload %s has the claim templates that are asked for", g.Workload), nil
	}
	return x.orphan(ctx, g)
}

// orphan deletes the workload object and waits until it is gone. Its pods stay, without an owner, until it is applied again.
func (x *Executor) orphan(ctx context.Context, g group) (ops.Outcome, error) {
	if g.live == nil {
		return done("workload %s is detached", g.Workload), nil
	}
	if g.live.DeletionTimestamp == nil {
		if pod := notTaken(g); pod != "" {
			return waiting("DetachingWorkload", "waiting for workload %s to take pod %s back before it is detached", g.Workload, pod), nil
		}
		err := x.Client.Delete(ctx, g.live, client.Preconditions{UID: &g.live.UID}, client.PropagationPolicy(metav1.DeletePropagationOrphan))
		if client.IgnoreNotFound(err) != nil {
			return ops.Outcome{}, fmt.Errorf("detaching %s: %w", g.Workload, err)
		}
	}
	return waiting("DetachingWorkload", "detaching workload %s; its pods keep running", g.Workload), nil
}

// notTaken names a pod that the workload does not control yet. Its controller may be about to adopt it; were the workload
// deleted at that moment, the garbage collector would not know the pod as one to orphan, and would delete it.
func notTaken(g group) string {
	if g.live.Status.ObservedGeneration != g.live.Generation {
		return g.live.Name + "-*"
	}
	for i := range g.pods {
		if p := &g.pods[i]; p.DeletionTimestamp == nil && ordinal(p.Name) >= 0 && !metav1.IsControlledBy(p, g.live) {
			return p.Name
		}
	}
	return ""
}

// stopPod takes one pod of a group down: the workload is detached first, so that nothing brings the pod back before its
// volume has grown. A pod whose claim is large enough stays.
func (x *Executor) stopPod(ctx context.Context, t *Target, a ops.StopPod) (ops.Outcome, error) {
	g, err := x.look(ctx, t, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	claims, err := x.claims(ctx, t, g.Group, a.Pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	if ops.Expand(viewClaims(claims), t.Request.Volumes[a.Group], false).Outcome.IsDone() {
		return done("the claim of pod %s is large enough", a.Pod), nil
	}
	if other := otherDown(g.pods, a.Pod); other != "" {
		return waiting(ReasonOtherPodDown, "pod %s of the same group is not Ready; %s stays until it is", other, a.Pod), nil
	}
	if out, err := x.orphan(ctx, g); err != nil || !out.IsDone() {
		return out, err
	}
	pod := podNamed(g.pods, a.Pod)
	if pod == nil {
		return done("pod %s is stopped", a.Pod), nil
	}
	if pod.DeletionTimestamp == nil {
		err := x.Client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID})
		if client.IgnoreNotFound(err) != nil {
			return ops.Outcome{}, fmt.Errorf("stopping pod %s: %w", pod.Name, err)
		}
	}
	return waiting("StoppingPod", "stopping pod %s", a.Pod), nil
}

// otherDown names a pod of the group other than that one which is not Ready.
func otherDown(pods []corev1.Pod, name string) string {
	for i := range pods {
		if pods[i].Name != name && !PodReady(&pods[i]) {
			return pods[i].Name
		}
	}
	return ""
}

// startPod applies the workload, which brings the missing pod back, and waits until the pod is Ready and its volume has
// its full size.
func (x *Executor) startPod(ctx context.Context, t *Target, a ops.StartPod) (ops.Outcome, error) {
	if err := x.applyWorkload(ctx, t, t.Side, a.Group); err != nil {
		return ops.Outcome{}, err
	}
	g, err := x.look(ctx, t, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	pod := podNamed(g.pods, a.Pod)
	if g.live == nil || pod == nil || pod.DeletionTimestamp != nil || !PodReady(pod) {
		return waiting("StartingPod", "waiting for pod %s to be Ready", a.Pod), nil
	}
	claims, err := x.claims(ctx, t, g.Group, a.Pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	return ops.Expand(viewClaims(claims), t.Request.Volumes[a.Group], false).Outcome, nil
}

// ReasonOtherPodDown means that a second pod of the group would go down.
const ReasonOtherPodDown = "OtherPodNotReady"

// sameClaims tells whether two workloads ask for claims of the same size.
func sameClaims(a, b *appsv1.StatefulSet) bool {
	if len(a.Spec.VolumeClaimTemplates) != len(b.Spec.VolumeClaimTemplates) {
		return false
	}
	for i := range a.Spec.VolumeClaimTemplates {
		x, y := a.Spec.VolumeClaimTemplates[i], b.Spec.VolumeClaimTemplates[i]
		if x.Name != y.Name || x.Spec.Resources.Requests.Storage().Cmp(*y.Spec.Resources.Requests.Storage()) != 0 {
			return false
		}
	}
	return true
}
