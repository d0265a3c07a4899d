package engines

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

var spec = field.NewPath("spec")

// CheckCommon returns what is wrong with a database by rules that need nothing but its settings. Kinds call it from
// CheckDatabase; old is nil on creation.
func CheckCommon(db, old Database, s Settings) field.ErrorList {
	var errs field.ErrorList
	if old == nil {
		errs = append(errs, checkNames(db, s)...)
	}
	if ref := inner(s.AuthSecret); ref != nil && ref.ExternallyManaged && ref.Name == "" {
		errs = append(errs, field.Required(spec.Child("authSecret", "name"),
			"with externallyManaged: true the operator makes no Secret: name the one that holds username and password"))
	}
	for _, g := range s.Groups {
		errs = append(errs, checkInline(g)...)
	}
	return errs
}

// CheckDeletionPolicy refuses to keep the volumes of a database that has none.
func CheckDeletionPolicy(s Settings) field.ErrorList {
	if deref(s.StorageType) != kubedbv1.StorageEphemeral || deref(s.DeletionPolicy) != kubedbv1.DeletionHalt {
		return nil
	}
	return field.ErrorList{field.Invalid(spec.Child("deletionPolicy"), *s.DeletionPolicy,
		"Halt keeps volumes, and an Ephemeral database has none: use Delete or WipeOut, or storageType Durable")}
}

// checkInline checks the names of inline files; their content is checked with everything else that is configuration.
func checkInline(g GroupSettings) field.ErrorList {
	c := inner(g.Configuration)
	if c == nil {
		return nil
	}
	return checkFileNames(c.Inline, g.Path, "configuration", "inline")
}

// checkFileNames checks the keys of a field with files, which is under that name, or path of names, below a path.
func checkFileNames(files map[string]string, at *field.Path, name string, more ...string) field.ErrorList {
	var errs field.ErrorList
	for file := range files {
		if err := checkInlineFile(file); err != nil {
			errs = append(errs, field.Invalid(at.Child(name, more...).Key(file), file, err.Error()))
		}
	}
	slices.SortFunc(errs, func(a, b *field.Error) int { return strings.Compare(a.Field, b.Field) })
	return errs
}

// CheckReplicas says whether the number of pods is there; defaulting sets it, so this is about objects that were
// admitted without. How small and how large it may be is in the tags of the type.
func CheckReplicas(at *field.Path, replicas *int32) field.ErrorList {
	if replicas == nil {
		return field.ErrorList{field.Required(at.Child("replicas"), "say how many pods there should be")}
	}
	return nil
}

// CheckReconfiguration says whether the section of one component asks for anything.
func CheckReconfiguration(at *field.Path, c *opsv1.ReconfigurationSpec) field.ErrorList {
	if c == nil {
		return nil
	}
	var errs field.ErrorList
	if c.ConfigSecret != nil && c.ConfigSecret.Name == "" {
		errs = append(errs, field.Required(at.Child("configSecret", "name"),
			"name the Secret to use, or leave configSecret out; removeCustomConfig: true stops using the present one"))
	}
	if c.ConfigSecret == nil && len(c.ApplyConfig) == 0 && !c.RemoveCustomConfig {
		errs = append(errs, field.Required(at,
			"nothing to change is given: set configSecret, applyConfig or removeCustomConfig"))
	}
	return append(errs, checkFileNames(c.ApplyConfig, at, "applyConfig")...)
}

// SizeProblem says what is wrong with the size of a volume, whatever volumes there are; empty when nothing is.
func SizeProblem(size resource.Quantity) string {
	switch rounded := size.DeepCopy(); {
	case size.Sign() <= 0:
		return "a size is above zero, for example 10Gi"
	case size.AsApproximateFloat64() >= 1<<63: // 9Ei is read as the largest int64; comparing 1e999999999 would take hours
		return "a size is below 8Ei, for example 10Gi"
	case !rounded.RoundUp(0):
		return "a size is a whole number of bytes, for example 10Gi"
	}
	return ""
}

// CheckSize says what is wrong with a new size. Whether it is larger than what the volumes have is known elsewhere.
func CheckSize(at *field.Path, size *resource.Quantity) field.ErrorList {
	if size == nil {
		return nil
	}
	if problem := SizeProblem(*size); problem != "" {
		printed := size.DeepCopy() // printing writes into the quantity, which a cache may own
		return field.ErrorList{field.Invalid(at, printed.String(), problem)}
	}
	return nil
}
