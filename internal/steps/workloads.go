package steps

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

// applyObjects writes the workloads of the groups as one side of the saved revision has them.
func (x *Executor) applyObjects(ctx context.Context, t *Target, a ops.ApplyObjects) (ops.Outcome, error) {
	if skip, err := x.needsNoTrust(ctx, t, a.To); skip || err != nil {
		return done("no pod has gone further"), err
	}
	for _, name := range a.Groups {
		if _, err := x.applyWorkload(ctx, t, a.To, name); err != nil {
			return ops.Outcome{}, err
		}
	}
	return done("%d workloads are as requested", len(a.Groups)), nil
}

// applyWorkload writes one workload unless the cluster has it so. It reports whether that changed it.
func (x *Executor) applyWorkload(ctx context.Context, t *Target, to ops.Side, name string) (changed bool, err error) {
	g, err := x.look(ctx, t, name)
	if err != nil {
		return false, err
	}
	side, err := x.side(ctx, t, to)
	if err != nil {
		return false, err
	}
	if g.live != nil && g.live.DeletionTimestamp != nil { // it goes, whatever it looks like
		return false, &apply.BehindError{What: "workload " + g.Workload + ", which is on its way out"}
	}
	saved := side.Workloads[name]
	if saved == nil {
		return false, fmt.Errorf("the saved revision has no workload for group %q", name)
	}
	if past, err := x.pastTrust(ctx, t, to, g); past || err != nil {
		return false, err
	}
	return x.bring(ctx, t, g, saved)
}

// bring writes a workload that differs from what was saved, unless others make it differ whatever is written.
func (x *Executor) bring(ctx context.Context, t *Target, g group, saved *appsv1.StatefulSet) (changed bool, err error) {
	if g.live != nil && SameClaims(g.live, saved) && (runs(g.live, saved) || x.settledFor(g.live, saved)) {
		return false, nil
	}
	changed, err = x.writeWorkload(ctx, t, g, saved)
	if err == nil && !changed && g.live != nil {
		x.settled.Add(g.live.UID, g.live.Generation, rememberFor)
	}
	return changed, err
}

// writeWorkload makes the workload, or changes it from what was seen.
func (x *Executor) writeWorkload(ctx context.Context, t *Target, g group, saved *appsv1.StatefulSet) (changed bool, err error) {
	if g.live != nil && !SameClaims(g.live, saved) && !x.Cluster.Workloads.MutableClaims() {
		return true, x.detachStranger(ctx, t, g)
	}
	if g.live == nil {
		if err := x.Apply.Vacant(ctx, client.ObjectKeyFromObject(saved)); err != nil {
			return false, err
		}
	}
	if err := x.confirm(ctx, t); err != nil {
		return false, err
	}
	return x.Apply.Workload(ctx, t.Database.Object, saved.DeepCopy(), g.live)
}

// detachStranger detaches a workload that somebody has made with other claim templates while ours was away. The API server would
// refuse every change of it.
func (x *Executor) detachStranger(ctx context.Context, t *Target, g group) error {
	out, err := x.orphan(ctx, g, func() error { return x.confirm(ctx, t) })
	if err != nil {
		return err
	}
	return &apply.BehindError{What: out.Message}
}

// verify reads back what runs: every pod carries the workload's revision, is Ready, and mounts the Secrets that the
// template names.
func (x *Executor) verify(ctx context.Context, t *Target, a ops.Verify) (ops.Outcome, error) {
	for _, name := range a.Groups {
		g, err := x.look(ctx, t, name)
		if err != nil {
			return ops.Outcome{}, err
		}
		if g.live == nil {
			return waiting(ReasonWorkloadMissing, "workload %s is gone", g.Workload), nil
		}
		if roll := ops.NextPod(View(g.live, g.pods)); !roll.Outcome.IsDone() {
			return waiting(roll.Outcome.Reason, "%s", roll.Outcome.Message), nil
		}
		if pod := wrongSecrets(g); pod != "" {
			return failed(ReasonWrongSecrets, "pod %s does not mount the Secrets that its workload names", pod), nil
		}
	}
	return done("every pod runs what was requested"), nil
}

// wrongSecrets returns the name of a pod that mounts other Secrets than the template asks for. Pods that are too many leave, and
// are not asked.
func wrongSecrets(g group) string {
	want := SecretVolumes(g.live.Spec.Template.Spec)
	for i := range g.Replicas {
		pod := podNamed(g.pods, g.Pod(i))
		if pod == nil {
			continue // NextPod has said so
		}
		have := SecretVolumes(pod.Spec)
		for volume, secret := range want {
			if have[volume] != secret {
				return pod.Name
			}
		}
	}
	return ""
}

// SecretVolumes maps the volumes of a pod that are Secrets to the names of those Secrets.
func SecretVolumes(spec corev1.PodSpec) map[string]string {
	secrets := map[string]string{}
	for _, v := range spec.Volumes {
		if v.Secret != nil {
			secrets[v.Name] = v.Secret.SecretName
		}
	}
	return secrets
}
