package admit

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/drydock-db/drydock/engines"
)

// Rules about edits: what cannot change, and what an operation has to change.
var editRules = []func(*proposal) field.ErrorList{
	checkStorageTypeKept, checkVersionKept, checkGroupsKept, checkStorageKept, checkSizeKept, checkInitKept, checkExporterPort,
}

func checkStorageTypeKept(p *proposal) field.ErrorList {
	was, now := deref(p.was.StorageType), deref(p.settings.StorageType)
	if was == now {
		return nil
	}
	return field.ErrorList{field.Forbidden(specPath.Child("storageType"), fmt.Sprintf(
		"it cannot change from %s to %s: create another database and move the data", was, now))}
}

func checkVersionKept(p *proposal) field.ErrorList {
	was, now := deref(p.was.Version), deref(p.settings.Version)
	if was == now || was == "" || now == "" {
		return nil
	}
	return field.ErrorList{field.Forbidden(specPath.Child("version"), fmt.Sprintf(
		"it cannot change from %s to %s: an update is an operation of type UpdateVersion, which this version of the operator does not carry out", was, now))}
}

// pair is a group of pods before and after an edit.
type pair struct{ was, now engines.GroupSettings }

// pairs are the groups that are there before and after.
func (p *proposal) pairs() []pair {
	var list []pair
	for _, was := range p.was.Groups {
		i := slices.IndexFunc(p.settings.Groups, func(g engines.GroupSettings) bool { return g.Name == was.Name })
		if i >= 0 {
			list = append(list, pair{was, p.settings.Groups[i]})
		}
	}
	return list
}

// checkGroupsKept wants the same groups of pods under the same names: they own the volumes.
func checkGroupsKept(p *proposal) field.ErrorList {
	pairs := p.pairs()
	if len(pairs) != len(p.was.Groups) || len(pairs) != len(p.settings.Groups) {
		return field.ErrorList{field.Forbidden(specPath.Child("topology"), fmt.Sprintf(
			"it cannot come or go: the database was created with %s; create another database and move the data", titles(p.was)))}
	}
	var errs field.ErrorList
	for _, g := range pairs {
		if g.was.Workload != g.now.Workload {
			errs = append(errs, field.Forbidden(g.now.Path.Child("suffix"), fmt.Sprintf(
				"it cannot change: the volumes belong to %s, and %s would begin with new ones", g.was.Workload, g.now.Workload)))
		}
	}
	return errs
}

// titles names the groups of a database.
func titles(s engines.Settings) string {
	var names []string
	for _, g := range s.Groups {
		names = append(names, g.Name)
	}
	if len(names) == 0 {
		return "no pods"
	}
	return strings.Join(names, " and ") + " pods"
}

// checkStorageKept is about everything in storage but its size: a StatefulSet never changes the claims it has made.
func checkStorageKept(p *proposal) field.ErrorList {
	var errs field.ErrorList
	for _, g := range p.pairs() {
		was, now := inner(g.was.Storage), inner(g.now.Storage)
		at := g.now.Path.Child("storage")
		if (was == nil) != (now == nil) {
			if p.durable() && now != nil {
				errs = append(errs, field.Forbidden(at, "it cannot be added: the pods were created without volumes"))
			}
			continue // a Durable database without storage is refused elsewhere, an Ephemeral one ignores it
		}
		if was == nil {
			continue
		}
		for _, f := range storageFields {
			if !equality.Semantic.DeepEqual(f.of(was), f.of(now)) {
				errs = append(errs, field.Forbidden(at.Child(f.name),
					"it cannot change: volumes stay as they were created, only their size can grow; create another database and move the data"))
			}
		}
	}
	return errs
}

// storageFields are the fields of a claim besides its size.
var storageFields = []struct {
	name string
	of   func(*corev1.PersistentVolumeClaimSpec) any
}{
	{"accessModes", func(s *corev1.PersistentVolumeClaimSpec) any {
		if len(s.AccessModes) == 0 {
			return []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce} // what rendering chooses
		}
		return s.AccessModes
	}},
	{"resources.limits", func(s *corev1.PersistentVolumeClaimSpec) any { return s.Resources.Limits }},
	{"storageClassName", func(s *corev1.PersistentVolumeClaimSpec) any { return s.StorageClassName }},
	{"selector", func(s *corev1.PersistentVolumeClaimSpec) any { return s.Selector }},
	{"volumeMode", func(s *corev1.PersistentVolumeClaimSpec) any { return s.VolumeMode }},
	{"volumeName", func(s *corev1.PersistentVolumeClaimSpec) any { return s.VolumeName }},
	{"dataSource", func(s *corev1.PersistentVolumeClaimSpec) any { return s.DataSource }},
	{"dataSourceRef", func(s *corev1.PersistentVolumeClaimSpec) any { return s.DataSourceRef }},
	{"volumeAttributesClassName", func(s *corev1.PersistentVolumeClaimSpec) any { return s.VolumeAttributesClassName }},
}

// sizes are what volumes have and what an edit asks for; the same when there is nothing to compare.
func (g pair) sizes() (old, asked resource.Quantity) {
	was, now := inner(g.was.Storage), inner(g.now.Storage)
	if was == nil || now == nil {
		return old, asked
	}
	return was.Resources.Requests[corev1.ResourceStorage], now.Resources.Requests[corev1.ResourceStorage]
}

// checkSizeKept refuses another size and shows the request that makes volumes larger.
func checkSizeKept(p *proposal) field.ErrorList {
	if !p.durable() {
		return nil
	}
	var errs field.ErrorList
	for _, g := range p.pairs() {
		old, asked := g.sizes()
		at := g.now.Path.Child("storage", "resources", "requests", "storage")
		switch asked.Cmp(old) {
		case -1:
			errs = append(errs, field.Forbidden(at, fmt.Sprintf(
				"volumes cannot shrink: they have %s, so %s is too small; write %s here", old.String(), asked.String(), old.String())))
		case 1:
			if engines.SizeProblem(asked) != "" {
				continue // another rule refuses it, and no request could ask for it
			}
			errs = append(errs, field.Forbidden(at, fmt.Sprintf(
				"volumes grow by an operation, which changes this field when it is done; leave it at %s and apply: %s", old.String(), p.expand())))
		}
	}
	return errs
}

// expand is the manifest of the one request that makes the volumes of all groups as large as the edit would have them. Its
// name says so: a request stays when it is done, and the next one needs another name.
func (p *proposal) expand() string {
	name, section := p.db.GetName()+"-expand", "mode: Online"
	for _, g := range p.pairs() {
		if old, asked := g.sizes(); asked.Cmp(old) > 0 && engines.SizeProblem(asked) == "" {
			name += "-" + g.now.VolumeField + "-" + strings.ToLower(asked.String())
			section += ", " + g.now.VolumeField + ": " + asked.String()
		}
	}
	return fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s, namespace: %s}, "+
		"spec: {type: VolumeExpansion, databaseRef: {name: %s}, volumeExpansion: {%s}}}",
		p.kind.Request.GroupVersion(), p.kind.Request.Kind, name, p.db.GetNamespace(), p.db.GetName(), section)
}

func checkInitKept(p *proposal) field.ErrorList {
	was, now := inner(p.was.Init), inner(p.settings.Init)
	if was == nil || !was.Initialized || equality.Semantic.DeepEqual(was, now) {
		return nil
	}
	return field.ErrorList{field.Forbidden(specPath.Child("init"), "the database is initialized, which happens once: leave init as it is")}
}
