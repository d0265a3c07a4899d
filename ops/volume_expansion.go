package ops

import opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"

// planVolumeExpansion grows the claims of the groups that the request names. Volumes cannot shrink, so undoing brings
// the workloads and the spec back and leaves the claims as far as they came; a new request finishes them.
func planVolumeExpansion(r Request, c Change) Plan {
	named := map[string]bool{}
	for name := range r.Volumes {
		named[name] = true
	}
	groups := c.Topology.groups(named)
	var p program
	p.pause()
	if r.Mode == opsv1.ModeOffline {
		p.growOffline(groups)
	} else {
		p.growOnline(groups)
	}
	if c.SpecChanged {
		p.editDatabase(After)
	}
	if r.Mode != opsv1.ModeOffline {
		p.detach(After, groups)
	}
	p.apply(After, groups)
	p.resume()

	undo := program{prefix: undoPrefix}
	if c.SpecChanged {
		undo.editDatabase(Before)
	}
	undo.detach(Before, groups)
	undo.apply(Before, groups)
	if r.Mode == opsv1.ModeOffline {
		undo.await(groups) // or it would be said that all is undone while a pod is away
	}
	undo.resume()
	return Plan{Steps: p.steps, Undo: undo.steps}
}

// growOnline leaves the pods alone.
func (p *program) growOnline(groups []Group) {
	for _, g := range groups {
		p.expand(g)
	}
}

// growOffline stops one pod at a time, the highest ordinal first. The workload is detached for as long, or it would
// bring the pod back before its volume has grown.
func (p *program) growOffline(groups []Group) {
	for _, g := range groups {
		p.detach(After, []Group{g})
		for ordinal := g.Replicas - 1; ordinal >= 0; ordinal-- {
			p.expandStopped(g, g.Pod(ordinal))
		}
	}
}
