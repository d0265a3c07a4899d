package ops

import "slices"

// Prefixes of the condition types of steps that a plan takes a second time, so that each type stands for one step.
const (
	undoPrefix  = "Undo"
	trustPrefix = "Trust"
)

// program builds a list of steps. The planners read like the table of operations in the design because of it.
type program struct {
	prefix string
	steps  []Step
}

func (p *program) add(units int, kind string, a Action) {
	p.steps = append(p.steps, Step{Type: p.prefix + kind, Action: a, Units: max(units, 1)})
}

func (p *program) pause() { p.add(1, "PauseDatabase", Pause{}) }

func (p *program) resume() { p.add(1, "ResumeDatabase", Resume{Undo: p.prefix == undoPrefix}) }

func (p *program) editDatabase(to Side) { p.add(1, "UpdateDatabase", EditDatabase{To: to}) }

// apply writes the workloads of the groups; it is left out when there are none.
func (p *program) apply(to Side, groups []Group) {
	if len(groups) > 0 {
		p.add(pods(groups), "UpdateWorkloads", ApplyObjects{To: to, Groups: names(groups)})
	}
}

func (p *program) roll(to Side, groups []Group) {
	for _, g := range groups {
		p.add(int(g.Replicas), "Restart"+g.Title+"Pods", RollPods{To: to, Group: g.Name})
	}
}

// verify is left out when no pod was restarted: there is nothing new to read back.
func (p *program) verify(groups []Group) {
	if len(groups) > 0 {
		p.add(pods(groups), "VerifyDatabase", Verify{Groups: names(groups)})
	}
}

// trustFirst takes every pod to Trust before the first goes to After. The groups restart in the given order.
func (p *program) trustFirst(c Change, order []Group) {
	if !c.TrustFirst {
		return
	}
	prefix := p.prefix
	p.prefix = prefix + trustPrefix
	p.apply(Trust, c.Topology.Groups)
	p.roll(Trust, order)
	p.prefix = prefix
}

func (p *program) issue(to Side, aliases []string) {
	p.add(len(aliases), "IssueCertificates", IssueCertificates{To: to})
}

func (p *program) removeCertificates() { p.add(1, "RemoveCertificates", RemoveCertificates{}) }

func (p *program) expand(g Group) {
	p.add(int(g.Replicas), "Expand"+g.Title+"Volumes", ExpandVolumes{Group: g.Name})
}

func (p *program) detach(to Side, groups []Group) {
	for _, g := range groups {
		p.add(1, "Detach"+g.Title+"Workload", DetachWorkload{To: to, Group: g.Name})
	}
}

// expandStopped stops one pod, grows its claim and brings the pod back.
func (p *program) expandStopped(g Group, pod string) {
	p.add(1, "StopPod--"+pod, StopPod{Group: g.Name, Pod: pod})
	p.add(1, "ExpandVolume--"+pod, ExpandVolumes{Group: g.Name, Pod: pod})
	p.add(1, "StartPod--"+pod, StartPod{Group: g.Name, Pod: pod})
}

// await is the end of stopping pods, wherever that was broken off.
func (p *program) await(groups []Group) {
	for _, g := range groups {
		p.add(int(g.Replicas), "Await"+g.Title+"Pods", AwaitPods{Group: g.Name})
	}
}

// undoRoll is how an operation that restarts pods goes back. The groups go in reverse: the one that did not come up is
// the last that was touched, so it is repaired before a pod of a healthy group leaves.
func undoRoll(c Change) []Step {
	p := program{prefix: undoPrefix}
	if c.SpecChanged {
		p.editDatabase(Before)
	}
	rolls := c.Topology.groups(c.Rolls)
	slices.Reverse(rolls)
	// The way back leads through Trust too, for the same reason. It takes nothing if no pod has gone further.
	p.trustFirst(c, rolls)
	p.apply(Before, c.Topology.groups(c.Templates))
	p.roll(Before, rolls)
	return p.steps
}

// undoResume opens the gate at the end of an undo.
func undoResume(steps []Step) []Step {
	p := program{prefix: undoPrefix, steps: steps}
	p.resume()
	return p.steps
}

// StepType is a condition type that steps have, and what a step of that type does.
type StepType struct {
	// Type may hold <Group>, which stands for Leaf, Aggregator, Node or nothing, and <pod>, which stands for a pod's name.
	Type, Description string
}

// StepTypes lists the condition types of all steps. The prefixes Trust and Undo are listed with the types that take them.
func StepTypes() []StepType {
	return []StepType{
		{"PauseDatabase", "The database is paused: nobody but the operator may change its spec."},
		{"UpdateDatabase", "The database's spec is what the request asks for."},
		{"IssueCertificates", "Every certificate has been issued, once."},
		{"TrustUpdateWorkloads", "The workloads trust the old and the new certificate authority, or have certificates before TLS is required."},
		{"TrustRestart<Group>Pods", "The pods of the group trust the old and the new certificate authority, or have certificates before TLS is required."},
		{"UpdateWorkloads", "The workloads are what the request asks for."},
		{"Restart<Group>Pods", "Every pod of the group has been restarted and is Ready."},
		{"Expand<Group>Volumes", "Every claim of the group has the requested capacity."},
		{"Detach<Group>Workload", "The group's workload object is removed so that its claim template can change; its pods stay."},
		{"StopPod--<pod>", "The pod is stopped."},
		{"ExpandVolume--<pod>", "The claim of the stopped pod is expanded, up to what needs the pod to finish."},
		{"StartPod--<pod>", "The pod is back and Ready, and its claim has the requested capacity."},
		{"VerifyDatabase", "What runs was read back and is what the request asks for."},
		{"RemoveCertificates", "The certificates and Secrets that the operator made are removed."},
		{"ResumeDatabase", "The pause is removed."},
		{"UndoUpdateDatabase", "The database's spec is what it was before the request."},
		{"UndoDetach<Group>Workload", "The group's workload object is removed so that its claim template can be put back."},
		{"UndoTrustUpdateWorkloads", "No pod presents a certificate that pods as they were before would not trust."},
		{"UndoTrustRestart<Group>Pods", "No pod of the group presents a certificate that pods as they were before would not trust."},
		{"UndoUpdateWorkloads", "The workloads are what they were before the request."},
		{"UndoAwait<Group>Pods", "The pod of the group that the request had stopped is back and Ready."},
		{"UndoRestart<Group>Pods", "Every pod of the group that the request had restarted runs what it ran before and is Ready."},
		{"UndoIssueCertificates", "The certificates are what they were before the request."},
		{"UndoRemoveCertificates", "The certificates that the request had issued are removed."},
		{"UndoResumeDatabase", "The pause is removed after undoing."},
	}
}
