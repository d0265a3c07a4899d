package controllers

import (
	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// standing runs the admission once more before a spec is carried out: a database may have come in while the webhook was
// not asked. A spec that has been carried out already is left alone, so this costs nothing while nothing changes, and a
// later version of the operator with stricter rules stops no database that runs.
func (c *Database) standing(db engines.Database, version *catalogv1.VersionSpec) error {
	observed := db.DatabaseStatus().ObservedGeneration
	if observed == db.GetGeneration() {
		return nil
	}
	if errs := c.Admission.Standing(c.Engine, db, version, observed == 0); len(errs) > 0 {
		return &refusal{kubedbv1.ReasonInvalidSpec, errs.ToAggregate()}
	}
	return nil
}
