package perconaxtradb

import (
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// defaultReplicas is the smallest cluster that keeps a majority when one node is down.
const defaultReplicas int32 = 3

func (e engine) Default(db engines.Database) {
	s := &db.(*kubedbv1.PerconaXtraDB).Spec
	engines.MoveTerminationPolicy(e.Settings(db))
	if s.Halted && s.DeletionPolicy != kubedbv1.DeletionDoNotTerminate {
		s.DeletionPolicy = kubedbv1.DeletionHalt
	}
	engines.DefaultReplicas(&s.Replicas, defaultReplicas)
	engines.DefaultSettings(db, e.Settings(db), e.Aliases())
}
