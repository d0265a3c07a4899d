package engines

import (
	"fmt"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// Outline renders what the objects of a database are called, also of one that cannot be rendered any more: what it refers
// to may be gone, and what it says may be refused by now, and yet its objects have to be found to be removed. Nothing but
// names and labels of the objects means anything.
func Outline(e Engine, db Database) (Objects, error) {
	bare, ok := db.DeepCopyObject().(Database)
	if !ok {
		return Objects{}, fmt.Errorf("a copy of %T is no database", db)
	}
	for _, g := range e.Settings(bare).Groups {
		*g.Configuration, *g.PodTemplate() = nil, kubedbv1.PodTemplateSpec{}
	}
	return e.Render(bare, Inputs{Version: catalogv1.VersionSpec{Exporter: &catalogv1.Image{}}})
}
