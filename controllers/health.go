package controllers

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// observe gathers the database's health from its pods. It writes nothing: what it finds goes along with the next
// commit of this pass.
func (c *Database) observe(ctx context.Context, s *session) error {
	db := s.db.Object
	if meta.IsStatusConditionTrue(db.DatabaseStatus().Conditions, kubedbv1.ConditionHalted) {
		return nil
	}
	topology := engines.Describe(c.Engine, db)
	groups := make([]ops.GroupHealth, 0, len(topology.Groups))
	exists := false
	for _, g := range topology.Groups {
		set, err := c.Cluster.Workload(ctx, db, g.Workload)
		if err != nil {
			return err
		}
		exists = exists || set != nil
		pods, err := c.Cluster.Pods(ctx, db, g.Workload)
		if err != nil {
			return err
		}
		groups = append(groups, groupHealth(g, pods))
	}
	if !exists && len(db.DatabaseStatus().Conditions) == 0 {
		return nil // nothing has been made yet, so there is nothing to say
	}
	for _, o := range ops.Health(groups) {
		s.db.Set(o.Type, o.Status, o.Reason, o.Message)
		if o.Type == kubedbv1.ConditionReady && o.Status == metav1.ConditionTrue {
			s.db.Set(kubedbv1.ConditionProvisioned, metav1.ConditionTrue, kubedbv1.ReasonProvisioned, "all replicas have been ready")
		}
	}
	return nil
}

func groupHealth(g ops.Group, pods []corev1.Pod) ops.GroupHealth {
	h := ops.GroupHealth{Workload: g.Workload, Want: g.Replicas}
	for i := range pods {
		if steps.PodUp(&pods[i]) {
			h.Ready++
		}
	}
	h.Ready = min(h.Ready, h.Want)
	return h
}

// upToDate says whether the pods run what the spec asks for. They need not: only operations restart pods.
func (c *Database) upToDate(ctx context.Context, s *session, objects engines.Objects) error {
	var behind, small []string
	for _, g := range objects.Groups {
		live, err := c.Cluster.Workload(ctx, s.db.Object, g.StatefulSet.Name)
		if err != nil {
			return err
		}
		if live == nil {
			continue
		}
		pods, err := c.Cluster.Pods(ctx, s.db.Object, g.StatefulSet.Name)
		if err != nil {
			return err
		}
		names, err := behindPods(live, g.StatefulSet, pods)
		if err != nil {
			return err
		}
		behind = append(behind, names...)
		if !steps.SameClaims(live, g.StatefulSet) {
			small = append(small, live.Name)
		}
	}
	c.volumesUpToDate(s, small)
	if len(behind) > 0 {
		s.db.Set(kubedbv1.ConditionPodsUpToDate, metav1.ConditionFalse, kubedbv1.ReasonRestartNeeded, fmt.Sprintf(
			"%s run another template than the spec asks for; an OpsRequest of type Restart applies it", strings.Join(behind, ", ")))
		return nil
	}
	s.db.Set(kubedbv1.ConditionPodsUpToDate, metav1.ConditionTrue, kubedbv1.ReasonUpToDate, "every pod runs what the spec asks for")
	return nil
}

// volumesUpToDate says which workloads make claims of another size than the spec asks for. Only an operation changes that.
func (c *Database) volumesUpToDate(s *session, workloads []string) {
	if len(workloads) == 0 {
		s.db.Remove(kubedbv1.ConditionVolumesUpToDate)
		return
	}
	s.db.Set(kubedbv1.ConditionVolumesUpToDate, metav1.ConditionFalse, kubedbv1.ReasonExpansionUnfinished, fmt.Sprintf(
		"%s would make claims of another size than the spec asks for; an OpsRequest of type VolumeExpansion for the spec's size applies it",
		strings.Join(workloads, ", ")))
}

// behindPods names the pods that do not run the rendered template.
func behindPods(live, rendered *appsv1.StatefulSet, pods []corev1.Pod) ([]string, error) {
	hash, err := apply.TemplateHash(rendered.Spec.Template)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range steps.View(live, pods).Pods {
		other := p.Revision != live.Status.UpdateRevision && live.Status.ObservedGeneration == live.Generation
		if other || hashOf(live) != hash {
			names = append(names, p.Name)
		}
	}
	return names, nil
}
