package perconaxtradb

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
)

// longestName is the longest name that a Galera cluster can have; the database's name is its name.
const longestName = 32

var spec = field.NewPath("spec")

func (e engine) CheckDatabase(db, old engines.Database) field.ErrorList {
	settings := e.Settings(db)
	errs := append(engines.CheckCommon(db, old, settings), checkDeletionPolicy(settings)...)
	if name := db.GetName(); old == nil && len(name) > longestName {
		errs = append(errs, field.TooLong(field.NewPath("metadata", "name"), name, longestName))
	}
	return append(errs, engines.CheckReplicas(spec, db.(*kubedbv1.PerconaXtraDB).Spec.Replicas)...)
}

// checkDeletionPolicy says of an Ephemeral database that is halted that this cannot be. Its policy is none to choose then:
// defaulting has made it Halt.
func checkDeletionPolicy(s engines.Settings) field.ErrorList {
	if *s.Halted && *s.StorageType == kubedbv1.StorageEphemeral {
		return field.ErrorList{field.Forbidden(spec.Child("halted"),
			"an Ephemeral database has no volumes that would outlast its pods: leave halted out, or delete the database")}
	}
	return engines.CheckDeletionPolicy(s)
}

func (engine) CheckRequest(r engines.OpsRequest, _ engines.Database) field.ErrorList {
	s := &r.(*opsv1.PerconaXtraDBOpsRequest).Spec
	var errs field.ErrorList
	if s.Type == opsv1.Reconfigure {
		errs = append(errs, engines.CheckReconfiguration(spec.Child("configuration"), s.Configuration)...)
	}
	if v := s.VolumeExpansion; s.Type == opsv1.VolumeExpansion && v != nil {
		at := spec.Child("volumeExpansion", group)
		if v.PerconaXtraDB == nil {
			errs = append(errs, field.Required(at, "say how large the volumes shall be, for example 10Gi"))
		}
		errs = append(errs, engines.CheckSize(at, v.PerconaXtraDB)...)
	}
	return errs
}
