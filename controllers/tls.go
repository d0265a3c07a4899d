package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/steps"
)

// security is what rendering takes from a database's certificates.
type security struct {
	// secret is the name of the copy that pods mount; empty without TLS.
	secret string
	// mounted describes the copy on the workloads; empty where that is not known.
	mounted string
}

// mounting is the copy that the database's workloads mount, or its pods, where a workload is missing.
type mounting struct {
	security
	// workloads by group; those that do not exist are left out. missing tells that there are such.
	workloads map[string]*appsv1.StatefulSet
	missing   bool
}

// mounting looks at what runs.
func (c *Database) mounting(ctx context.Context, db engines.Database) (mounting, error) {
	m := mounting{workloads: map[string]*appsv1.StatefulSet{}}
	for _, g := range engines.Describe(c.Engine, db).Groups {
		live, err := c.Cluster.Workload(ctx, db, g.Workload)
		if err != nil {
			return m, err
		}
		if live != nil {
			m.workloads[g.Name] = live
			if secret := steps.CopyOf(db.GetName(), live); m.secret == "" && secret != "" {
				m.security = security{secret, live.Annotations[opsv1.AnnotationCertificates]}
			}
			continue
		}
		m.missing = true
		pods, err := c.Cluster.Pods(ctx, db, g.Workload)
		if err != nil {
			return m, err
		}
		for i := range pods {
			if secret := steps.CopyIn(db.GetName(), pods[i].Spec); m.secret == "" && secret != "" {
				m.secret = secret
			}
		}
	}
	return m, nil
}

// secure makes the certificates that the spec asks for and says which copy of them pods mount. A workload that exists
// keeps the copy that it mounts; only operations change that. wait is true while a workload that has to be made cannot
// be, because its certificates are not issued.
func (c *Database) secure(ctx context.Context, s *session) (sec security, wait bool, after time.Duration, err error) {
	db := s.db.Object
	live, err := c.mounting(ctx, db)
	if err != nil {
		return security{}, false, 0, err
	}
	if *c.Engine.Settings(db).TLS == nil {
		return security{}, false, 0, c.insecure(ctx, s, live)
	}
	if !c.CertManager {
		return security{}, false, 0, noCertManager()
	}
	objects := steps.CertificateObjects(c.Engine, db)
	if _, err := c.Executor.ApplyCertificates(ctx, db, objects, func() error { return c.current(ctx, db) }); err != nil {
		return security{}, false, 0, err
	}
	again, err := c.Executor.ReviveAuthority(ctx, db, objects)
	if err != nil {
		return security{}, false, 0, err
	}
	sec, wait, after, err = c.mountable(ctx, s, live, objects)
	if again > 0 {
		after = sooner(after, again)
	}
	return sec, wait, after, err
}

// mountable looks at what is issued, and says which copy of it pods mount.
func (c *Database) mountable(ctx context.Context, s *session, live mounting, objects certs.Objects) (security, bool, time.Duration, error) {
	leaves, err := c.Executor.Leaves(ctx, c.Client, s.db.Object, objects)
	if err != nil {
		return security{}, false, 0, err
	}
	if !live.missing || live.secret != "" {
		return c.keepMounted(ctx, s, live, objects, leaves)
	}
	if unready := firstUnready(leaves, certs.Ready); unready >= 0 {
		after, err := c.awaitCertificates(ctx, s, objects, leaves[unready])
		return security{}, true, after, err
	}
	return c.firstCopy(ctx, s, live, leaves)
}

// keepMounted is for workloads that exist: they stay as they are, and conditions tell of what waits for a restart.
func (c *Database) keepMounted(ctx context.Context, s *session, live mounting, objects certs.Objects, leaves []certs.Leaf) (security, bool, time.Duration, error) {
	if unready := firstUnready(leaves, certs.Valid); unready >= 0 {
		s.db.Set(kubedbv1.ConditionCertificatesReady, metav1.ConditionFalse, steps.ReasonIssuing, account(leaves[unready]))
	} else {
		c.certificatesReady(s)
	}
	// The managed authority is there until the certificates come from another: whoever named that one may think better of it.
	if objects.Authority == nil && firstUnready(leaves, certs.Ready) < 0 {
		if err := c.dropManaged(ctx, s.db.Object); err != nil {
			return security{}, false, 0, err
		}
	}
	after, err := c.renewals(ctx, s, live, leaves)
	if live.secret == "" {
		live.secret = certs.PendingCopy(s.db.Object.GetName()) // what a restart would bring
	}
	return live.security, false, after, err
}

// firstCopy makes the copy that a new database mounts.
func (c *Database) firstCopy(ctx context.Context, s *session, live mounting, leaves []certs.Leaf) (security, bool, time.Duration, error) {
	db := s.db.Object
	exchange, err := c.Executor.Exchange(ctx, c.Engine, db, leaves, live.workloads)
	var problem *steps.CertificateError
	switch {
	case errors.As(err, &problem):
		return security{}, true, c.lacks(s, kubedbv1.ConditionCertificatesReady, metav1.ConditionFalse, problem.Reason, problem.Message), nil
	case err != nil:
		return security{}, false, 0, err
	}
	for _, secret := range exchange.Secrets {
		if err := c.Apply.CreateOnly(ctx, db, secret, true); err != nil {
			return security{}, false, 0, err
		}
	}
	c.certificatesReady(s)
	return security{exchange.Copies.After, exchange.Copies.Mounted}, false, 0, nil
}

func (c *Database) certificatesReady(s *session) {
	s.db.Set(kubedbv1.ConditionCertificatesReady, metav1.ConditionTrue, kubedbv1.ReasonCertificatesIssued, "every certificate is issued")
}

// awaitCertificates says what a new database waits for.
func (c *Database) awaitCertificates(ctx context.Context, s *session, objects certs.Objects, leaf certs.Leaf) (time.Duration, error) {
	message, after := "waiting for cert-manager to issue certificate "+leaf.Alias, time.Duration(0)
	if leaf.Certificate != nil {
		if after = steps.Patience - c.Journal.Now().Sub(leaf.Certificate.CreationTimestamp.Time); after <= 0 {
			why, err := c.Executor.WhyNotReady(ctx, s.db.Object, objects, leaf)
			if err != nil {
				return 0, err
			}
			message, after = message+": "+why, 0
		}
	}
	s.db.Set(kubedbv1.ConditionCertificatesReady, metav1.ConditionFalse, steps.ReasonIssuing, message)
	return after, nil
}

func noCertManager() *refusal {
	return &refusal{kubedbv1.ReasonCertManagerMissing, errors.New(
		"spec.tls needs cert-manager, which was not there when the operator started: install it and restart the operator, or leave spec.tls out")}
}

func account(leaf certs.Leaf) string {
	if leaf.Certificate == nil {
		return fmt.Sprintf("certificate %s is being made", leaf.Alias)
	}
	return fmt.Sprintf("certificate %s: %s", leaf.Alias, certs.Account(leaf.Certificate))
}

// firstUnready is the place of the first certificate that is missing or not ready; -1 when there is none. What is to be
// copied has to be certs.Ready: while an issuance is under way, Secret and revision may belong to different ones.
func firstUnready(leaves []certs.Leaf, ready func(*cmv1.Certificate) bool) int {
	return slices.IndexFunc(leaves, func(leaf certs.Leaf) bool { return leaf.Certificate == nil || !ready(leaf.Certificate) })
}
