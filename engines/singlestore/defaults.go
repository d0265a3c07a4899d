package singlestore

import (
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/engines"
)

// Pods of each component of a cluster where the user does not say.
const (
	defaultAggregators int32 = 3
	defaultLeaves      int32 = 2
)

func (e engine) Default(db engines.Database) {
	engines.MoveTerminationPolicy(e.Settings(db))
	engines.DefaultSettings(db, e.Settings(db), e.Aliases())
	t := db.(*kubedbv1alpha2.Singlestore).Spec.Topology
	if t == nil {
		return
	}
	if t.Aggregator != nil {
		engines.DefaultReplicas(&t.Aggregator.Replicas, defaultAggregators)
	}
	if t.Leaf != nil {
		engines.DefaultReplicas(&t.Leaf.Replicas, defaultLeaves)
	}
}
