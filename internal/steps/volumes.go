package steps

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
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
	claims, err := x.claims(ctx, x.Client, t, g, a.Pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	views, stopped := viewClaims(claims, t.Since, x.now()), a.Pod != ""
	e := ops.Expand(views, want, stopped)
	refused, err := x.growAll(ctx, claims, e.Grow, want)
	if err != nil {
		return ops.Outcome{}, err
	}
	if len(refused) > 0 {
		return ops.Expand(ops.Answered(views, e.Grow, refused), want, stopped).Outcome, nil
	}
	if claims.refusedByNode() {
		e.Outcome.After = max(0, nodeAnswers-x.now().Sub(t.Since))
	}
	// A file system that is still to grow looks the same once the pod runs again, and does not ask for another restart.
	e.Outcome.Passing = e.Outcome.IsDone() && !ops.Expand(views, want, false).Outcome.IsDone()
	return e.Outcome, nil
}

// growAll raises the requests of the named claims. One that the API server refuses for good keeps none of the others from
// growing; what it said of each is returned.
func (x *Executor) growAll(ctx context.Context, claims claimSet, names []string, want resource.Quantity) (refused map[string]string, err error) {
	refused = map[string]string{}
	for _, name := range names {
		err := x.grow(ctx, claims[name], want)
		switch {
		case apierrors.IsForbidden(err), apierrors.IsInvalid(err):
			refused[name] = err.Error()
		case err != nil:
			return nil, fmt.Errorf("growing claim %s: %w", name, err)
		}
	}
	return refused, nil
}

// grow raises the request of one claim, from the size that was seen.
func (x *Executor) grow(ctx context.Context, claim *corev1.PersistentVolumeClaim, want resource.Quantity) error {
	body := fmt.Appendf(nil, `{"metadata":{"uid":%q,"resourceVersion":%q},"spec":{"resources":{"requests":{"storage":%q}}}}`,
		claim.UID, claim.ResourceVersion, want.String())
	return x.Client.Patch(ctx, claim.DeepCopy(), client.RawPatch(types.MergePatchType, body), apply.FieldOwner)
}

// claims reads the group's claims, or that of one pod, by their names; one that does not exist, or is that of another
// kind's database, is nil.
func (x *Executor) claims(ctx context.Context, from client.Reader, t *Target, g ops.Group, pod string) (claimSet, error) {
	set, ours := claimSet{}, labels.SelectorFromSet(engines.SelectorLabels(x.Cluster.Kind, t.Database.Object))
	for ordinal := range g.Replicas {
		if pod != "" && g.Pod(ordinal) != pod {
			continue
		}
		var claim corev1.PersistentVolumeClaim
		key := client.ObjectKey{Namespace: t.Database.Object.GetNamespace(), Name: g.Claim(ordinal)}
		err := from.Get(ctx, key, &claim)
		switch {
		case client.IgnoreNotFound(err) != nil:
			return nil, fmt.Errorf("reading claim %s: %w", key.Name, err)
		case err == nil && ours.Matches(labels.Set(claim.Labels)):
			set[key.Name] = &claim
		default:
			set[key.Name] = nil
		}
	}
	return set, nil
}

// detachWorkload deletes the workload object and leaves its pods, unless its claim templates are as that side has them
// or can be changed where they are.
func (x *Executor) detachWorkload(ctx context.Context, t *Target, a ops.DetachWorkload) (ops.Outcome, error) {
	g, err := x.look(ctx, t, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	side, err := x.side(ctx, t, a.To)
	if err != nil {
		return ops.Outcome{}, err
	}
	if x.Cluster.Workloads.MutableClaims() {
		return done("the claim templates of workload %s can be changed as it is", g.Workload), nil
	}
	if g.live != nil && g.live.DeletionTimestamp == nil && SameClaims(g.live, side.Workloads[a.Group]) {
		return done("workload %s has the claim templates that are asked for", g.Workload), nil
	}
	return x.orphan(ctx, g, func() error { return x.confirm(ctx, t) })
}

// orphan deletes the workload object, if it is sure, and waits until it is gone. Its pods stay, without an owner, until it is
// applied again.
func (x *Executor) orphan(ctx context.Context, g group, sure func() error) (ops.Outcome, error) {
	if g.live == nil {
		return done("workload %s is detached", g.Workload), nil
	}
	if g.live.DeletionTimestamp == nil {
		if pod := notTaken(g); pod != "" {
			return waiting(ReasonDetachingWorkload, "waiting for workload %s to take pod %s back before it is detached", g.Workload, pod), nil
		}
		if err := sure(); err != nil {
			return ops.Outcome{}, err
		}
		live := x.Cluster.Workloads.Object(g.live)
		if err := apply.DeleteExact(ctx, x.Client, live, client.PropagationPolicy(metav1.DeletePropagationOrphan)); err != nil {
			return ops.Outcome{}, fmt.Errorf("detaching %s: %w", g.Workload, err)
		}
	}
	return waiting(ReasonDetachingWorkload, "detaching workload %s; its pods keep running", g.Workload), nil
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
// volume has grown. That holds for PetSets too, although their claim templates can change: no field of theirs keeps one
// ordinal away, and applying the workload again is what brings a pod back after any crash. A pod whose claim is large
// enough stays.
func (x *Executor) stopPod(ctx context.Context, t *Target, a ops.StopPod) (ops.Outcome, error) {
	g, err := x.look(ctx, t, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	claims, err := x.claims(ctx, x.Client, t, g.Group, a.Pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	if ops.Expand(viewClaims(claims, t.Since, x.now()), t.Request.Volumes[a.Group], false).Outcome.IsDone() {
		return done("the claim of pod %s is large enough", a.Pod), nil
	}
	own := podNamed(g.pods, a.Pod)
	if lost := unusable(claims); own != nil && lost != "" {
		// A claim that is being deleted waits for its last pod: stopped, the pod would lose its data.
		return waiting(ops.ReasonClaimMissing, "claim %s is not there, is being deleted, has lost its volume, or lacks the labels of the database; pod %s stays", lost, a.Pod), nil
	}
	if out, err := x.awaitOthers(ctx, t, g, own, a); err != nil || !out.IsDone() {
		return out, err
	}
	sure := func() error { return x.mayStop(ctx, t, g, a) }
	if out, err := x.orphan(ctx, g, sure); err != nil || !out.IsDone() {
		return out, err
	}
	return x.takeDown(ctx, own, a.Pod, sure)
}

// awaitOthers waits until the other pods of the group are Ready. A pod that is not Ready itself takes no more down, and may be down
// because its volume is full. One that is missing is brought back, if there is no workload that does that.
func (x *Executor) awaitOthers(ctx context.Context, t *Target, g group, own *corev1.Pod, a ops.StopPod) (ops.Outcome, error) {
	if own == nil && g.live == nil {
		return done("pod %s is down, and nothing brings it back before its volume has grown", a.Pod), nil
	}
	if gone := otherGone(g, a.Pod); gone != "" && own != nil {
		var err error
		if g.live == nil {
			_, err = x.applyWorkload(ctx, t, t.Side, a.Group)
		}
		return waiting(ReasonOtherPodDown, "pod %s of the same group is not there; %s stays until it is Ready", gone, a.Pod), err
	}
	if other := otherDown(g.pods, a.Pod); other != "" && (own == nil || podReady(own)) {
		return waiting(ReasonOtherPodDown, "pod %s of the same group is not Ready; %s stays until it is", other, a.Pod), nil
	}
	return done("the other pods are Ready"), nil
}

// stopTakes is how long the cache may take to show that a pod was told to leave.
const stopTakes = 3 * time.Second

// takeDown deletes a pod of a detached workload, if it is sure, and waits until the pod is gone.
func (x *Executor) takeDown(ctx context.Context, pod *corev1.Pod, name string, sure func() error) (ops.Outcome, error) {
	if pod == nil {
		return done("pod %s is stopped", name), nil
	}
	if pod.DeletionTimestamp == nil && !x.stopped.Since(pod.UID, x.now(), stopTakes) {
		if err := sure(); err != nil {
			return ops.Outcome{}, err
		}
		if err := apply.DeleteExact(ctx, x.Client, pod); err != nil {
			return ops.Outcome{}, fmt.Errorf("stopping pod %s: %w", name, err)
		}
		x.stopped.Note(pod.UID, x.now(), stopTakes)
	}
	out := waiting(ReasonStoppingPod, "stopping pod %s", name)
	if pod.DeletionTimestamp == nil {
		out.After = stopTakes // should the answer have been lost
	}
	return out, nil
}

// otherDown names a pod of the group other than that one which is not Ready, or leaves.
func otherDown(pods []corev1.Pod, name string) string {
	for i := range pods {
		if pods[i].Name != name && !PodUp(&pods[i]) {
			return pods[i].Name
		}
	}
	return ""
}

// startPod applies the workload, which brings the missing pod back, and waits until the pod is Ready and its volume has
// its full size.
func (x *Executor) startPod(ctx context.Context, t *Target, a ops.StartPod) (ops.Outcome, error) {
	wrote, err := x.applyWorkload(ctx, t, t.Side, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	starting := waiting(ReasonStartingPod, "waiting for pod %s to be Ready", a.Pod)
	if wrote {
		return starting, nil
	}
	g, err := x.look(ctx, t, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	pod := podNamed(g.pods, a.Pod)
	if g.live == nil || pod == nil || !PodUp(pod) {
		return starting, nil
	}
	claims, err := x.claims(ctx, x.Client, t, g.Group, a.Pod)
	if err != nil {
		return ops.Outcome{}, err
	}
	return ops.Expand(viewClaims(claims, t.Since, x.now()), t.Request.Volumes[a.Group], false).Outcome, nil
}

// awaitPods applies the workload, which brings back the pod that was stopped, and waits until it is Ready. A pod that is older
// than the operation was not stopped by it: should it be ill, that is not for an undo to mend.
func (x *Executor) awaitPods(ctx context.Context, t *Target, a ops.AwaitPods) (ops.Outcome, error) {
	wrote, err := x.applyWorkload(ctx, t, t.Side, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	g, err := x.look(ctx, t, a.Group)
	if err != nil {
		return ops.Outcome{}, err
	}
	// A pod that the caches show as it was before it was stopped is not the workload's that was made since.
	if wrote || g.live == nil || notTaken(g) != "" {
		return waiting(ops.ReasonWorkloadNotObserved, "waiting for workload %s to take its pods back", g.Workload), nil
	}
	since, _ := journal.HeldSince(t.Database.Object.DatabaseStatus(), t.Request)
	for i := range g.Replicas {
		pod := podNamed(g.pods, g.Pod(i))
		if pod == nil || pod.DeletionTimestamp != nil || !podReady(pod) && !pod.CreationTimestamp.Time.Before(since) {
			return waiting(ReasonStartingPod, "waiting for pod %s to be Ready", g.Pod(i)), nil
		}
	}
	return done("no pod of %s is away", g.Workload), nil
}
