package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/internal/steps"
	"github.com/drydock-db/drydock/ops"
)

// insecure is for a database that asks for no TLS. Certificates that an earlier spec asked for go once no workload
// mounts a copy of them.
func (c *Database) insecure(ctx context.Context, s *session, live mounting) error {
	s.db.Remove(kubedbv1.ConditionCertificatesReady)
	s.db.Remove(kubedbv1.ConditionCertificatesUpToDate)
	if !c.CertManager || live.secret != "" {
		return nil
	}
	return c.removeLeft(ctx, s.db.Object)
}

// removeLeft removes the Certificates that the database still controls, with their Secrets. The watch cache says
// whether there are any, so that a database without costs nothing.
func (c *Database) removeLeft(ctx context.Context, db engines.Database) error {
	var list cmv1.CertificateList
	if err := c.Client.List(ctx, &list, client.InNamespace(db.GetNamespace()),
		client.MatchingLabels(engines.SelectorLabels(c.Engine.Kind(), db))); err != nil {
		return fmt.Errorf("listing Certificates: %w", err)
	}
	var left certs.Objects
	for i := range list.Items {
		if metav1.IsControlledBy(&list.Items[i], db) {
			left.Leaves = append(left.Leaves, certs.Leaf{Certificate: &list.Items[i]})
		}
	}
	if len(left.Leaves) > 0 {
		if err := c.Executor.RemoveCertificates(ctx, db, left); err != nil {
			return err
		}
	}
	return c.dropManaged(ctx, db)
}

// dropManaged removes the managed issuer of a database that no longer uses it.
func (c *Database) dropManaged(ctx context.Context, db engines.Database) error {
	var issuer cmv1.Issuer
	err := c.Client.Get(ctx, client.ObjectKey{Namespace: db.GetNamespace(), Name: certs.SelfSignedName(db.GetName())}, &issuer)
	if err != nil || !metav1.IsControlledBy(&issuer, db) {
		return client.IgnoreNotFound(err)
	}
	facts := certs.Facts{Name: db.GetName(), Namespace: db.GetNamespace(), Aliases: c.Engine.Aliases()}
	managed := certs.Build(facts, &kubedbv1.TLSConfig{})
	managed.Leaves = nil
	// The issuer by which the others are found goes last, so that a crash leaves a trace of them.
	slices.Reverse(managed.Issuers)
	return c.Executor.RemoveCertificates(ctx, db, managed)
}

// forget removes what an operation about TLS leaves behind when it is over: Secrets that no Certificate names any more,
// and the copies of a database that has lost its TLS, which an undo would have needed. It runs before the request is
// released, so that a crash in between loses nothing.
func (c *Database) forget(ctx context.Context, s *session, r *journal.Request) error {
	request := c.Engine.Lower(r.Object)
	if s.db == nil || request.Type != opsv1.ReconfigureTLS || !controllerutil.ContainsFinalizer(r.Object, opsv1.Finalizer) {
		return nil
	}
	request.Started = true
	o := &operation{session: s, request: request, journal: r}
	saved, err := c.savedRevision(ctx, o)
	if isLost(err) {
		return nil // nobody can tell what it has left
	}
	if err != nil || saved == nil {
		return err
	}
	o.saved = saved
	if err := c.Executor.RemoveUnnamed(ctx, o.target(c, ops.After, steps.End{})); err != nil {
		return err
	}
	if !removedTLS(r, request) {
		return nil
	}
	return c.removeCopiesOf(ctx, s.db.Object, saved.Before.Workloads)
}

// removeCopiesOf removes the copies of certificates that those workloads named, but what workloads name today. The API server
// is asked: a cache may be of before the restarts, and nobody looks for these copies again.
func (c *Database) removeCopiesOf(ctx context.Context, db engines.Database, workloads map[string]*appsv1.StatefulSet) error {
	names := map[string]bool{}
	for _, set := range workloads {
		if name := steps.CopyOf(db.GetName(), set); name != "" {
			names[name] = true
		}
	}
	if len(names) == 0 {
		return nil
	}
	today := *c.Cluster
	today.Client = c.Live
	for _, g := range engines.Describe(c.Engine, db).Groups {
		set, err := today.Workload(ctx, db, g.Workload)
		if err != nil {
			return err
		}
		delete(names, steps.CopyOf(db.GetName(), set))
	}
	return c.Executor.RemoveSecrets(ctx, db, slices.Sorted(maps.Keys(names)))
}

// removedTLS tells whether the request has removed TLS.
func removedTLS(r *journal.Request, request ops.Request) bool {
	return request.TLS != nil && request.TLS.Remove && r.Object.RequestStatus().Phase == opsv1.PhaseSuccessful
}

// deleteCertificates removes the database's certificates with their Secrets, when everything of it is wiped out.
func (c *Database) deleteCertificates(ctx context.Context, db engines.Database) error {
	// Certificates that are gone already leave their Secrets to be found by the names that the spec gives them; those of a
	// cluster whose cert-manager has been uninstalled, too.
	asked := steps.CertificateObjects(c.Engine, db)
	asked.Issuers = nil // these go last
	if err := c.Executor.RemoveCertificates(ctx, db, asked); err != nil || !c.CertManager {
		return err
	}
	return c.removeLeft(ctx, db)
}
