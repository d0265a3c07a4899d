package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// begin works out the change that the request means, closes the gate and saves the change.
func (c *Database) begin(ctx context.Context, o *operation) (*steps.Saved, error) {
	saved, configs, err := c.change(ctx, o)
	if err == nil {
		err = c.startable(ctx, o, saved, configs)
	}
	if err != nil {
		return nil, err
	}
	target := o.target(c, ops.After, steps.End{})
	if out, err := c.Executor.Do(ctx, target, ops.Pause{}); err != nil {
		return nil, err
	} else if !out.IsDone() {
		return nil, errors.New(out.Message)
	}
	// The configuration goes first: whoever finds the saved revision finds what it names.
	for _, config := range configs {
		if err := c.createConfig(ctx, o.db.Object, config); err != nil {
			return nil, err
		}
	}
	if err := c.save(ctx, o, saved); err != nil {
		return nil, err
	}
	return saved, nil
}

// change renders the database as it is asked to become and compares that with what runs.
func (c *Database) change(ctx context.Context, o *operation) (*steps.Saved, []*corev1.Secret, error) {
	version, unknown := c.version(ctx, o.db.Object)
	if unknown != nil && !c.growsBlindly(ctx, o, unknown) {
		return nil, nil, unknown
	}
	after, saved, err := c.edited(o, version)
	if err != nil {
		return nil, nil, err
	}
	tls, err := c.changeTLS(ctx, o, after)
	if err != nil {
		return nil, nil, err
	}
	saved.TLS = tls.issues
	var objects engines.Objects
	if unknown == nil {
		objects, unknown = c.render(ctx, after, version, tls.security)
	}
	if unknown != nil {
		if !c.growsBlindly(ctx, o, unknown) {
			return nil, nil, unknown
		}
		return saved, nil, c.grow(ctx, o, saved, after)
	}
	var configs []*corev1.Secret
	for _, g := range objects.Groups {
		if err := c.changeGroup(ctx, o, saved, g, tls.live.security); err != nil {
			return nil, nil, err
		}
		// The Secret that pods mount already is among them, in case somebody has deleted it.
		configs, saved.Configs = append(configs, g.Config), append(saved.Configs, g.Config.Name)
	}
	if len(saved.Rolls) > 0 { // copies that no pod comes to mount would stay behind
		configs = append(configs, tls.copies...)
	}
	offered, err := c.trustFirst(ctx, saved, tls, after, version)
	return saved, append(configs, offered...), err
}

// edited is the database with the spec that is asked for, and what is saved of both specs.
func (c *Database) edited(o *operation, version *catalogv1.VersionSpec) (after engines.Database, saved *steps.Saved, err error) {
	after = o.db.Object.DeepCopyObject().(engines.Database)
	if err := engines.Edit(c.Engine, after, o.request, version); err != nil {
		return nil, nil, &refusal{opsv1.ReasonInvalid, err}
	}
	saved = &steps.Saved{
		Request:  o.request.UID,
		Topology: engines.Describe(c.Engine, after),
		Before:   steps.State{Workloads: map[string]*appsv1.StatefulSet{}},
		After:    steps.State{Workloads: map[string]*appsv1.StatefulSet{}},
	}
	if saved.Before.Spec, err = steps.SpecOf(o.db.Object); err != nil {
		return nil, nil, err
	}
	saved.After.Spec, err = steps.SpecOf(after)
	return after, saved, err
}

// growsBlindly tells whether an operation need not know what cannot be read or rendered: volumes grow whatever the configuration
// says, and a full disk is when that matters. Workloads have to be there, since none can be made.
func (c *Database) growsBlindly(ctx context.Context, o *operation, why error) bool {
	if _, refused := errors.AsType[*refusal](why); !refused || o.request.Type != opsv1.VolumeExpansion {
		return false
	}
	missing, err := c.unprovisioned(ctx, o.db.Object)
	return err == nil && missing == ""
}

// grow is change for a database that cannot be rendered: its pod templates stay.
func (c *Database) grow(ctx context.Context, o *operation, saved *steps.Saved, after engines.Database) error {
	objects, err := engines.Outline(c.Engine, after)
	if err != nil {
		return fmt.Errorf("finding the workloads: %w", err)
	}
	for _, g := range objects.Groups {
		if err := c.changeGroup(ctx, o, saved, g, security{}); err != nil {
			return err
		}
	}
	return nil
}

// changeGroup decides what becomes of one group: its template as rendered, where its pods restart, or as it is.
func (c *Database) changeGroup(ctx context.Context, o *operation, saved *steps.Saved, g engines.GroupObjects, mounts security) error {
	live, err := c.Cluster.Workload(ctx, o.db.Object, g.StatefulSet.Name)
	if err != nil {
		return err
	}
	if live != nil {
		// What is saved here is what pods and claims go back to, and what they keep.
		if err = c.Apply.Seen(live); err == nil {
			err = c.Apply.Latest(ctx, live, c.Journal.Now())
		}
	} else if err = c.vacant(ctx, g.StatefulSet); err == nil {
		// Not provisioned yet, or deleted by hand: the operation makes it, as provisioning would.
		live, err = c.unmade(ctx, o, g, mounts)
	}
	if err != nil {
		return err
	}
	before := steps.Keep(live)
	saved.Before.Workloads[g.Name] = before
	saved.After.Workloads[g.Name] = withVolumes(before, o.request, g.Name)
	changed, err := c.changes(ctx, o, live, g.StatefulSet)
	if err != nil {
		return err
	}
	roll, stamp := ops.Restarts(o.request, g.Name, changed)
	if !roll {
		return nil
	}
	restart := live.Spec.Template.Annotations[opsv1.AnnotationRestart]
	if stamp {
		restart = string(o.request.UID)
	}
	after, err := c.workload(g.StatefulSet, restart)
	if err != nil {
		return err
	}
	after.Spec.VolumeClaimTemplates = before.Spec.VolumeClaimTemplates
	saved.After.Workloads[g.Name] = after
	saved.Rolls = append(saved.Rolls, g.Name)
	return nil
}

// changes tells whether the rendered configuration is another one than the group runs. The pods are asked too: an
// operation that was given up half-way may have left the workload ahead of them.
func (c *Database) changes(ctx context.Context, o *operation, live, rendered *appsv1.StatefulSet) (bool, error) {
	pods, err := c.Cluster.Pods(ctx, o.db.Object, rendered.Name)
	if err != nil {
		return false, err
	}
	db, want := o.request.Database, rendered.Spec.Template.Spec
	behind := slices.ContainsFunc(pods, func(p corev1.Pod) bool { return !sameFiles(db, p.Spec, want) })
	return behind || !sameFiles(db, live.Spec.Template.Spec, want), nil
}

// withVolumes is the workload with claim templates of the size that the request asks for.
func withVolumes(set *appsv1.StatefulSet, r ops.Request, group string) *appsv1.StatefulSet {
	size, grows := r.Volumes[group]
	if !grows {
		return set
	}
	set = set.DeepCopy()
	for i := range set.Spec.VolumeClaimTemplates {
		if claim := &set.Spec.VolumeClaimTemplates[i]; claim.Name == engines.VolumeData {
			claim.Spec.Resources.Requests[corev1.ResourceStorage] = size
		}
	}
	return set
}

// workload completes a rendered StatefulSet with the hash of its template and the stamp of the last restart.
func (c *Database) workload(rendered *appsv1.StatefulSet, restart string) (*appsv1.StatefulSet, error) {
	set := rendered.DeepCopy()
	hash, err := apply.TemplateHash(set.Spec.Template)
	if err != nil {
		return nil, err
	}
	metav1.SetMetaDataAnnotation(&set.ObjectMeta, opsv1.AnnotationTemplateHash, hash)
	if restart != "" {
		metav1.SetMetaDataAnnotation(&set.Spec.Template.ObjectMeta, opsv1.AnnotationRestart, restart)
	}
	return set, nil
}

// version reads the catalog entry of the database.
func (c *Database) version(ctx context.Context, db engines.Database) (*catalogv1.VersionSpec, error) {
	name := *c.Engine.Settings(db).Version
	version := c.Engine.Kind().NewVersion()
	err := c.Client.Get(ctx, client.ObjectKey{Name: name}, version)
	if apierrors.IsNotFound(err) {
		return nil, &refusal{kubedbv1.ReasonVersionNotFound, fmt.Errorf("there is no %s %q in the catalog", c.Engine.Kind().Version.Kind, name)}
	}
	if err != nil {
		return nil, err
	}
	return version.VersionSpec(), nil
}

// savedRevision reads what the operation was planned from, or nil if it has not got that far.
func (c *Database) savedRevision(ctx context.Context, o *operation) (*steps.Saved, error) {
	var revision appsv1.ControllerRevision
	key := client.ObjectKey{Namespace: o.db.Object.GetNamespace(), Name: o.request.RevisionName()}
	err := c.Client.Get(ctx, key, &revision)
	if apierrors.IsNotFound(err) && o.request.Started {
		err = c.Live.Get(ctx, key, &revision) // the cache may be behind
	}
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the saved revision: %w", err)
	}
	saved, err := steps.ReadSaved(revision.Data.Raw)
	if err != nil {
		return nil, &unreadableError{revision.Name, err}
	}
	if saved.Request != o.request.UID || !metav1.IsControlledBy(&revision, o.db.Object) {
		return nil, &apply.ForeignError{Kind: "ControllerRevision", Name: revision.Name, Want: "this request"}
	}
	o.savedVersion = revision.ResourceVersion
	return saved, nil
}

// save keeps the change. One that exists was saved by a pass that crashed right after, and wins.
func (c *Database) save(ctx context.Context, o *operation, saved *steps.Saved) error {
	raw, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("saving the change: %w", err)
	}
	db := o.db.Object
	revision := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name: o.request.RevisionName(), Namespace: db.GetNamespace(),
			Labels: map[string]string{opsv1.LabelKind: o.request.Kind, engines.LabelInstance: db.GetName()},
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(db, c.Engine.Kind().Database),
			},
		},
		Revision: 1,
		Data:     runtime.RawExtension{Raw: raw},
	}
	err = c.Client.Create(ctx, revision, apply.FieldOwner)
	if apierrors.IsAlreadyExists(err) {
		existing, err := c.savedRevision(ctx, o)
		if err == nil && existing == nil {
			err = errors.New("the saved revision appeared and is gone again")
		}
		if err == nil {
			*saved = *existing
		}
		return err
	}
	o.savedVersion = revision.ResourceVersion
	return err
}
