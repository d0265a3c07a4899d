package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/ops"
)

// side returns the state that an action works towards, with the names of its copies.
func (x *Executor) side(ctx context.Context, t *Target, side ops.Side) (State, error) {
	if t.Saved.awaits(side) {
		if err := x.Recall(ctx, t); err != nil {
			return State{}, err
		}
	}
	return t.Saved.Side(side)
}

// Recall reads the names of the copies, unless this pass knows them.
func (x *Executor) Recall(ctx context.Context, t *Target) error {
	if t.Saved.Copies != nil || t.Saved.TLS == nil {
		return nil
	}
	names, _, err := readRecord(ctx, x.Client, t)
	if err == nil && names == nil {
		names, _, err = readRecord(ctx, x.Apply.Live, t) // the cache may be behind
	}
	t.Saved.Copies = names
	return err
}

// readRecord returns the names of the copies, nil when they are not recorded.
func readRecord(ctx context.Context, from client.Reader, t *Target) (*Copies, types.UID, error) {
	var revision appsv1.ControllerRevision
	key := client.ObjectKey{Namespace: t.Database.Object.GetNamespace(), Name: recordName(t.Request)}
	err := from.Get(ctx, key, &revision)
	if apierrors.IsNotFound(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading the record of the copies: %w", err)
	}
	var saved Saved
	if err := json.Unmarshal(revision.Data.Raw, &saved); err != nil {
		return nil, "", fmt.Errorf("reading the record %s: %w", key.Name, err)
	}
	if saved.Request != t.Saved.Request || saved.Copies == nil || !metav1.IsControlledBy(&revision, t.Database.Object) {
		return nil, "", fmt.Errorf("ControllerRevision %s is not this request's record: delete it", key.Name)
	}
	return saved.Copies, revision.UID, nil
}

// needsNoTrust tells whether an undo may go straight back, past Trust: no pod, ready or not, mounts a certificate that
// pods as they were before would not trust, and none is on its way. Where a group has such a pod, another group's may go
// back before it does.
func (x *Executor) needsNoTrust(ctx context.Context, t *Target, to ops.Side) (bool, error) {
	if to != ops.Trust || t.Side != ops.Before {
		return false, nil
	}
	if err := x.Recall(ctx, t); err != nil {
		return false, err
	}
	if t.Saved.TLS != nil && t.Saved.Copies == nil {
		return true, nil // nothing was mounted
	}
	copies, err := t.furtherCopies()
	if err != nil {
		return false, err
	}
	for group, further := range copies {
		gone, err := x.goneFurther(ctx, t, group, further)
		if gone || err != nil {
			return false, err
		}
	}
	return true, nil
}

// pastTrust tells whether a group that is to come to Trust on the way forward has left it behind already: its workload names
// the new certificates, which it does once every pod trusts them. A pass that was cut off before it could say so leaves
// the next one to find that out.
func (x *Executor) pastTrust(ctx context.Context, t *Target, to ops.Side, g group) (bool, error) {
	if to != ops.Trust || t.Side != ops.After || g.live == nil {
		return false, nil
	}
	after, err := x.side(ctx, t, ops.After)
	if err != nil {
		return false, err
	}
	return after.Workloads[g.Name] != nil && runs(g.live, after.Workloads[g.Name]), nil
}

// furtherCopies are the copies, by group, whose certificates pods as they were before would not trust.
func (t *Target) furtherCopies() (map[string]string, error) {
	after, err := t.Saved.Side(ops.After)
	if err != nil {
		return nil, err
	}
	trust, err := t.Saved.Side(ops.Trust)
	if err != nil {
		return nil, err
	}
	copies, db := map[string]string{}, t.Saved.Topology.Database
	for _, g := range t.Saved.Topology.Groups {
		before := CopyOf(db, t.Saved.Before.Workloads[g.Name])
		between, further := CopyOf(db, trust.Workloads[g.Name]), CopyOf(db, after.Workloads[g.Name])
		if before != "" && before != between && further != between {
			copies[g.Name] = further
		}
	}
	return copies, nil
}

// goneFurther tells whether a pod of the group mounts that copy, or may yet come up with it: while the workload names the copy,
// and, once it does not any more, until its controller has seen that and no pod is away. A workload that is as it was before
// has nothing to wait for: no step has changed it.
func (x *Executor) goneFurther(ctx context.Context, t *Target, name, secret string) (bool, error) {
	g, err := x.look(ctx, t, name)
	if err != nil {
		return false, err
	}
	db := t.Saved.Topology.Database
	if slices.ContainsFunc(g.pods, func(p corev1.Pod) bool { return CopyIn(db, p.Spec) == secret }) {
		return true, nil
	}
	names := CopyOf(db, g.live)
	if g.live == nil || names == CopyOf(db, t.Saved.Before.Workloads[name]) {
		return false, nil
	}
	return names == secret || g.live.Status.ObservedGeneration != g.live.Generation || podAway(g), nil
}

// podAway tells whether a pod of the group is leaving, or not there yet.
func podAway(g group) bool {
	for i := range g.Replicas {
		if pod := podNamed(g.pods, g.Pod(i)); pod == nil || pod.DeletionTimestamp != nil {
			return true
		}
	}
	return false
}
