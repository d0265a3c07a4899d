package admit

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

var volumePath = specPath.Child("volumeExpansion")

// expansion is what a request asks of one group.
type expansion struct {
	group engines.GroupSettings
	path  *field.Path
	size  resource.Quantity
	// spec is the size that the database asks for.
	spec   resource.Quantity
	claims []corev1.PersistentVolumeClaim
}

// expansions lists the groups whose volumes can be compared with what the request asks for.
func (o *operation) expansions() []expansion {
	if deref(o.settings.StorageType) == kubedbv1.StorageEphemeral {
		return nil
	}
	var list []expansion
	for _, g := range o.settings.Groups {
		size, ok := o.request.Volumes[g.Name]
		storage := inner(g.Storage)
		if !ok || storage == nil || engines.SizeProblem(size) != "" {
			continue
		}
		list = append(list, expansion{
			group: g, path: volumePath.Child(g.VolumeField), size: size, claims: o.claims[g.Name],
			spec: storage.Resources.Requests[corev1.ResourceStorage],
		})
	}
	return list
}

// checkKeepsVolumes refuses to expand what is not there.
func checkKeepsVolumes(o *operation) field.ErrorList {
	if deref(o.settings.StorageType) == kubedbv1.StorageEphemeral {
		return field.ErrorList{field.Forbidden(volumePath, fmt.Sprintf(
			"%s %s is Ephemeral and has no volumes that could grow", o.kind.Database.Kind, o.request.Database))}
	}
	var errs field.ErrorList
	for _, g := range o.settings.Groups {
		if _, ok := o.request.Volumes[g.Name]; ok && inner(g.Storage) == nil {
			errs = append(errs, field.Forbidden(volumePath.Child(g.VolumeField), g.Workload+" has no volumes that could grow"))
		}
	}
	return errs
}

// checkSizes wants sizes that are larger than what the volumes have. An expansion that was half done is finished by the
// same size: some claims have it and others do not.
func checkSizes(o *operation) field.ErrorList {
	var errs field.ErrorList
	for _, e := range o.expansions() {
		if e.size.Cmp(e.spec) < 0 {
			errs = append(errs, field.Invalid(e.path, e.size.String(), fmt.Sprintf(
				"the database asks for %s and volumes cannot shrink: give a larger size", e.spec.String())))
			continue
		}
		if unfinished := e.size.Cmp(e.spec) == 0 && o.expansionUnfinished(); !unfinished {
			errs = append(errs, e.compare()...)
		}
	}
	return errs
}

// expansionUnfinished tells whether a workload makes claims of another size than the spec asks for: a request for the
// spec's own size puts that right, however large the claims are.
func (o *operation) expansionUnfinished() bool {
	return meta.IsStatusConditionFalse(o.db.DatabaseStatus().Conditions, kubedbv1.ConditionVolumesUpToDate)
}

// compare looks at the claims. One that lacks the size is enough: those that have more stay as they are. So an expansion
// that failed for some claims is tried again with less, as long as it is more than those really have.
func (e expansion) compare() field.ErrorList {
	if e.size.Cmp(e.spec) > 0 && len(e.claims) == 0 || slices.ContainsFunc(e.claims, e.lacks) {
		return nil
	}
	if larger := e.larger(); len(larger) > 0 {
		return field.ErrorList{field.Invalid(e.path, e.size.String(), fmt.Sprintf(
			"claims have more than that and cannot shrink: %s; give a larger size", strings.Join(larger, ", ")))}
	}
	if e.size.Cmp(e.spec) > 0 {
		return nil // the claims were grown by hand: the rest of the database follows
	}
	return field.ErrorList{field.Invalid(e.path, e.size.String(),
		"the volumes of "+e.group.Workload+" have that size already: give a larger size")}
}

// lacks tells whether a claim is smaller than what is asked for.
func (e expansion) lacks(claim corev1.PersistentVolumeClaim) bool {
	return e.size.Cmp(sizeOf(claim)) > 0
}

// larger names the claims that have more than what is asked for.
func (e expansion) larger() []string {
	var names []string
	for _, claim := range e.claims {
		if has := sizeOf(claim); e.size.Cmp(has) < 0 {
			names = append(names, fmt.Sprintf("%s (%s)", claim.Name, has.String()))
		}
	}
	return names
}

// sizeOf is what a claim has; what it asks for as long as that is not known.
func sizeOf(claim corev1.PersistentVolumeClaim) resource.Quantity {
	if has, known := claim.Status.Capacity[corev1.ResourceStorage]; known {
		return has
	}
	return claim.Spec.Resources.Requests[corev1.ResourceStorage]
}

// hintLarger says which claims a request leaves alone.
func hintLarger(o *operation) []string {
	var hints []string
	for _, e := range o.expansions() {
		if larger := e.larger(); len(larger) > 0 && slices.ContainsFunc(e.claims, e.lacks) {
			hints = append(hints, fmt.Sprintf("%s: claims that have more than %s stay as they are: %s", e.path, e.size.String(), strings.Join(larger, ", ")))
		}
	}
	return hints
}

// checkExpandable wants StorageClasses that can expand volumes.
func checkExpandable(o *operation) field.ErrorList {
	var errs field.ErrorList
	for _, e := range o.expansions() {
		for _, name := range e.classes() {
			if problem := o.classes.expandable(name); problem != "" {
				errs = append(errs, field.Invalid(e.path, e.size.String(), problem))
			}
		}
	}
	return errs
}

// classes of the claims; of the spec while there are no claims yet.
func (e expansion) classes() []*string {
	var names []*string
	seen := map[string]bool{}
	for _, claim := range e.claims {
		name := claim.Spec.StorageClassName
		if text := deref(name); name != nil && !seen[text] {
			seen[text] = true
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		names = append(names, inner(e.group.Storage).StorageClassName)
	}
	return names
}

// expandable says why volumes of a class cannot grow; empty when they can.
func (c classes) expandable(name *string) string {
	class, known := c.of(name)
	switch {
	case name == nil && c.standard == "":
		return "the volumes have no StorageClass and there is no default one, so they cannot grow"
	case name != nil && *name == "":
		return "the volumes have no StorageClass, so they cannot grow"
	case !known:
		return fmt.Sprintf("StorageClass %q of the volumes does not exist: without it they cannot grow", *name)
	case !deref(class.AllowVolumeExpansion):
		return fmt.Sprintf("StorageClass %q does not let volumes grow: it would have to set allowVolumeExpansion: true", class.Name)
	}
	return ""
}
