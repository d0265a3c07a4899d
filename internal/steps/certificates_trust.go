package steps

import (
	"context"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/ops"
)

// side returns the state that an action works towards, with the names of its copies.
func (x *Executor) side(ctx context.Context, t *Target, side ops.Side) (State, error) {
	if t.Saved.awaits(side) {
		if err := x.recall(ctx, t); err != nil {
			return State{}, err
		}
	}
	return t.Saved.Side(side)
}

// recall reads the names of the copies, unless this pass knows them.
func (x *Executor) recall(ctx context.Context, t *Target) error {
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

// needsNoTrust tells whether an undo may go straight back, past Trust: no pod that serves presents a certificate that
// pods as they were before would not trust. One that does not serve meets nobody; and it may be why we go back.
func (x *Executor) needsNoTrust(ctx context.Context, t *Target, to ops.Side) (bool, error) {
	if to != ops.Trust || t.Side != ops.Before {
		return false, nil
	}
	if err := x.recall(ctx, t); err != nil {
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
		serving, err := x.serving(ctx, t, group, further)
		if serving || err != nil {
			return false, err
		}
	}
	return true, nil
}

// furtherCopies are the copies, by workload, whose certificates pods as they were before would not trust.
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
			copies[g.Workload] = further
		}
	}
	return copies, nil
}

// serving tells whether a pod of the workload is Ready and mounts that copy.
func (x *Executor) serving(ctx context.Context, t *Target, workload, secret string) (bool, error) {
	pods, err := x.Cluster.Pods(ctx, t.Database.Object, workload)
	if err != nil {
		return false, err
	}
	for i := range pods {
		for _, mounted := range SecretVolumes(pods[i].Spec) {
			if mounted == secret && PodReady(&pods[i]) {
				return true, nil
			}
		}
	}
	return false, nil
}
