package engines

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxWorkloadName is the longest name that a StatefulSet can have: its controller labels pods with
// "<name>-<revision>", a label value has at most 63 characters and a revision takes ten and a dash.
const maxWorkloadName = 52

// maxName is the longest name that can be a label value and a host name.
const maxName = validation.DNS1123LabelMaxLength

// Suffixed appends the non-empty parts to the name with dashes. When the result is too long the name loses
// characters, never the parts: they are what tells one component from the next.
func Suffixed(name string, parts ...string) string {
	full := name
	for _, part := range parts {
		if part != "" {
			full += "-" + part
		}
	}
	if len(full) < maxName {
		return full
	}
	tail := full[len(name):]
	if len(tail) >= maxName { // one character of the name stays: no object's name begins with a dash
		tail = tail[len(tail)-maxName+1:]
	}
	return name[:min(len(name), maxName-len(tail))] + tail
}

// HeadlessService is the name of the Service that gives each pod its own address.
func HeadlessService(db string) string { return Suffixed(db, "pods") }

// StatsService is the name of the Service that metrics are read from.
func StatsService(db string) string { return Suffixed(db, "stats") }

// AuthSecretName is the name of the Secret with the administrator's credentials: the one that the user names, else
// the operator's own.
func AuthSecretName(db Database, s Settings) string {
	if ref := inner(s.AuthSecret); ref != nil && ref.Name != "" {
		return ref.Name
	}
	return Suffixed(db.GetName(), "auth")
}

// checkNames says whether the objects that the database consists of can have the names that follow from its own name.
// Names cannot change, so this is only asked when the database is new.
func checkNames(db Database, s Settings) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("metadata", "name")
	for _, problem := range validation.IsDNS1035Label(db.GetName()) {
		errs = append(errs, field.Invalid(path, db.GetName(), "the database's Services get this name: "+problem))
	}
	if len(errs) > 0 {
		return errs
	}
	for _, g := range s.Groups {
		if over := len(g.Workload) - maxWorkloadName; over > 0 {
			errs = append(errs, field.Invalid(path, db.GetName(), fmt.Sprintf(
				"the workload would be called %s, which is %s longer than the %d that a StatefulSet can have: use a shorter name or suffix",
				g.Workload, plural(over, "character"), maxWorkloadName)))
		}
	}
	return errs
}
