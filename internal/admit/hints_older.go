package admit

import (
	"fmt"

	"github.com/drydock-db/drydock/engines"
)

// Older returns warnings about fields under older names that say another thing than the newer ones. It looks at a
// database as somebody sent it: defaulting moves those fields, and afterwards nobody can tell what was dropped.
func Older(e engines.Engine, db engines.Database) []string {
	s := e.Settings(db)
	var warnings []string
	for _, g := range s.Groups {
		old, configuration := inner(g.ConfigSecret), inner(g.Configuration)
		if old == nil || old.Name == "" || configuration == nil || configuration.SecretName == "" || old.Name == configuration.SecretName {
			continue
		}
		newer := g.Path.Child("configuration", "secretName")
		warnings = append(warnings, fmt.Sprintf("%s: %s is not used: %s is set, to %s, and wins over the older field; change it there, by a %s of type Reconfigure",
			g.Path.Child("configSecret"), old.Name, newer, configuration.SecretName, e.Kind().Request.Kind))
	}
	older, newer := deref(s.TerminationPolicy), deref(s.DeletionPolicy)
	if older != "" && newer != "" && older != newer {
		warnings = append(warnings, fmt.Sprintf("%s: the older field wins: deletionPolicy changes from %s to %s; leave terminationPolicy out to set deletionPolicy",
			specPath.Child("terminationPolicy"), newer, older))
	}
	return warnings
}
