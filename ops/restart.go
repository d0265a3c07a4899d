package ops

// planRestart restarts every pod. The workloads change by the stamp only, which makes it a new revision.
func planRestart(_ Request, c Change) Plan {
	c = c.everywhere()
	c.SpecChanged = false
	var p program
	p.pause()
	p.apply(After, c.Topology.Groups)
	p.roll(After, c.Topology.Groups)
	p.resume()
	return Plan{Steps: p.steps, Undo: undoResume(undoRoll(c))}
}
