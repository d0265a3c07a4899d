package ops

// planRestart restarts every pod. The workloads change by the stamp, which makes it a new revision, and by what has
// waited for a restart: a template that the spec asks for, and certificates that were renewed.
func planRestart(_ Request, c Change) Plan {
	c = c.everywhere()
	c.SpecChanged = false
	var p program
	p.pause()
	p.trustFirst(c, c.Topology.Groups)
	p.apply(After, c.Topology.Groups)
	p.roll(After, c.Topology.Groups)
	p.resume()
	return Plan{Steps: p.steps, Undo: undoResume(undoRoll(c))}
}
