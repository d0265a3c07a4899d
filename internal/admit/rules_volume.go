package admit

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
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
		if !ok || storage == nil || size.Sign() <= 0 {
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
		if rounded := e.size.DeepCopy(); !rounded.RoundUp(0) {
			errs = append(errs, field.Invalid(e.path, e.size.String(), "a size is a whole number of bytes, for example 10Gi"))
			continue
		}
		if e.size.Cmp(e.spec) < 0 {
			errs = append(errs, field.Invalid(e.path, e.size.String(), fmt.Sprintf(
				"the database asks for %s and volumes cannot shrink: give a larger size", e.spec.String())))
			continue
		}
		errs = append(errs, e.compare()...)
	}
	return errs
}

// compare looks at the claims.
func (e expansion) compare() field.ErrorList {
	grow := e.size.Cmp(e.spec) > 0
	var tooLarge []string
	for _, claim := range e.claims {
		has := claim.Spec.Resources.Requests[corev1.ResourceStorage]
		switch e.size.Cmp(has) {
		case 1:
			grow = true
		case -1:
			// A claim whose expansion failed may be asked for less again, as long as it is more than it really has.
			if capacity, known := claim.Status.Capacity[corev1.ResourceStorage]; !known || e.size.Cmp(capacity) <= 0 {
				tooLarge = append(tooLarge, fmt.Sprintf("%s (%s)", claim.Name, has.String()))
			}
			grow = true
		}
	}
	switch {
	case len(tooLarge) > 0:
		return field.ErrorList{field.Invalid(e.path, e.size.String(), fmt.Sprintf(
			"claims have more than that and cannot shrink: %s; give a larger size", strings.Join(tooLarge, ", ")))}
	case !grow:
		return field.ErrorList{field.Invalid(e.path, e.size.String(),
			"the volumes of "+e.group.Workload+" have that size already: give a larger size")}
	}
	return nil
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
