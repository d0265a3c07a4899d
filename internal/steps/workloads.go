package steps

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/drydock-db/drydock/ops"
)

// applyObjects writes the workloads of the groups as one side of the saved revision has them.
func (x *Executor) applyObjects(ctx context.Context, t *Target, a ops.ApplyObjects) (ops.Outcome, error) {
	if skip, err := x.needsNoTrust(ctx, t, a.To); skip || err != nil {
		return done("no pod has gone further"), err
	}
	for _, name := range a.Groups {
		if err := x.applyWorkload(ctx, t, a.To, name); err != nil {
			return ops.Outcome{}, err
		}
	}
	return done("%d workloads are as requested", len(a.Groups)), nil
}

// applyWorkload writes one workload unless the cluster has it so.
func (x *Executor) applyWorkload(ctx context.Context, t *Target, to ops.Side, name string) error {
	g, err := x.look(ctx, t, name)
	if err != nil {
		return err
	}
	side, err := x.side(ctx, t, to)
	if err != nil {
		return err
	}
	saved := side.Workloads[name]
	if saved == nil {
		return fmt.Errorf("the saved revision has no workload for group %q", name)
	}
	if g.live != nil && Runs(g.live, saved) && sameClaims(g.live, saved) {
		return nil
	}
	return x.Apply.Write(ctx, t.Database.Object, saved.DeepCopy())
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
		if pod := wrongSecrets(g.live, g.pods); pod != "" {
			return failed("WrongSecrets", "pod %s does not mount the Secrets that its workload names", pod), nil
		}
	}
	return done("every pod runs what was requested"), nil
}

// wrongSecrets returns the name of a pod that mounts other Secrets than the template asks for.
func wrongSecrets(set *appsv1.StatefulSet, pods []corev1.Pod) string {
	want := SecretVolumes(set.Spec.Template.Spec)
	for i := range pods {
		have := SecretVolumes(pods[i].Spec)
		for volume, secret := range want {
			if have[volume] != secret {
				return pods[i].Name
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
