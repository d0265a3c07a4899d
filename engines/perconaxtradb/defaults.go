package perconaxtradb

import (
	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// defaultReplicas is the smallest cluster that keeps a majority when one node is down.
const defaultReplicas int32 = 3

func (e engine) Default(db engines.Database, _ *catalogv1.VersionSpec) {
	s := &db.(*kubedbv1.PerconaXtraDB).Spec
	// The older name is never stored, so whoever sends it means it, and it wins over what is stored under the newer one.
	if s.TerminationPolicy != "" {
		s.DeletionPolicy, s.TerminationPolicy = s.TerminationPolicy, ""
	}
	if s.Halted && s.DeletionPolicy != kubedbv1.DeletionDoNotTerminate {
		s.DeletionPolicy = kubedbv1.DeletionHalt
	}
	engines.DefaultReplicas(&s.Replicas, defaultReplicas)
	engines.DefaultSettings(db, e.Settings(db), e.Aliases())
}
