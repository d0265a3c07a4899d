package ops

import (
	"fmt"
	"maps"
	"slices"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// planReconfigure changes the configuration of the groups whose files change and restarts those that have to.
func planReconfigure(_ Request, c Change) Plan {
	rolls := c.Topology.groups(c.Rolls)
	var p program
	p.pause()
	if c.SpecChanged {
		p.editDatabase(After)
	}
	p.trustFirst(c, rolls) // should the spec ask for TLS, and insist on it, since the pods started
	p.apply(After, c.Topology.groups(c.Templates))
	p.roll(After, rolls)
	p.verify(rolls)
	p.resume()
	return Plan{Steps: p.steps, Undo: undoResume(undoRoll(c))}
}

// Reconfigured returns the configuration that the change makes of the old one; nil when nothing is left. Removal comes
// first, then the Secret is replaced, then the files of applyConfig are merged into inline, key by key. Applying the
// same change twice gives the same as applying it once. The old one stays as it is.
func Reconfigured(old *kubedbv1.ConfigurationSpec, change opsv1.ReconfigurationSpec, d mycnf.Dialect) (*kubedbv1.ConfigurationSpec, error) {
	result := &kubedbv1.ConfigurationSpec{}
	if old != nil && !change.RemoveCustomConfig {
		result = old.DeepCopy()
	}
	if change.ConfigSecret != nil {
		result.SecretName = change.ConfigSecret.Name
	}
	for _, file := range slices.Sorted(maps.Keys(change.ApplyConfig)) {
		merged, err := d.Merge(result.Inline[file], change.ApplyConfig[file])
		if err != nil {
			return nil, fmt.Errorf("applyConfig[%s]: %w", file, err)
		}
		if result.Inline == nil {
			result.Inline = map[string]string{}
		}
		result.Inline[file] = merged
	}
	if result.SecretName == "" && len(result.Inline) == 0 {
		return nil, nil //nolint:nilnil // no custom configuration is an answer
	}
	return result, nil
}
