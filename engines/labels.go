package engines

import (
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels that everything belonging to a database carries, and the labels that tell pods apart.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelComponent = "app.kubernetes.io/component"
	LabelRole      = "kubedb.com/role"
	LabelPetSet    = "kubedb.com/petset"
)

// ManagedBy is the value of LabelManagedBy.
const ManagedBy = "kubedb.com"

// Label is the value of LabelName on everything that belongs to a database of this kind.
func (k Kind) Label() string { return k.DatabaseResource + "." + k.Database.Group }

// SelectorLabels select everything that belongs to one database.
func SelectorLabels(kind Kind, db Database) map[string]string {
	return map[string]string{
		LabelName:     kind.Label(),
		LabelInstance: db.GetName(),
	}
}

// Labels are those that each object of a database carries.
func Labels(kind Kind, db Database) map[string]string {
	return with(SelectorLabels(kind, db), map[string]string{
		LabelManagedBy: ManagedBy,
		LabelComponent: "database",
	})
}

// with returns a new map that holds all entries; later maps win.
func with(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// meta is the metadata of an object of the database.
func (b Blueprint) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      name,
		Namespace: b.Database.GetNamespace(),
		Labels:    Labels(b.Kind, b.Database),
	}
}

// usersOwn leaves out annotations by which operations keep their books.
func usersOwn(annotations map[string]string) map[string]string {
	out := with(annotations)
	maps.DeleteFunc(out, func(key, _ string) bool { return strings.HasPrefix(key, "ops.kubedb.com/") })
	return out
}
