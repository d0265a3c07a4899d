package controllers

import (
	"context"
	"errors"
	"maps"
	"slices"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/steps"
)

// tlsChange is what an operation does about certificates.
type tlsChange struct {
	// security is what pods that restart mount.
	security
	live mounting
	// trust are the copies that pods pass through, by group; nil when they need not.
	trust map[string]string
	// copies are to be made before the operation is saved.
	copies []*corev1.Secret
	// issues is set when the operation issues certificates; what pods mount is pending until then.
	issues *steps.TLS
}

// changeTLS works out what an operation does about certificates. A ReconfigureTLS issues them. A Restart brings what
// was renewed to the pods, and so does a Reconfigure to those that it restarts, unless they would have to learn to
// trust another authority first: that takes every pod.
func (c *Database) changeTLS(ctx context.Context, o *operation, after engines.Database) (tlsChange, error) {
	live, err := c.mounting(ctx, o.db.Object)
	if err != nil {
		return tlsChange{}, err
	}
	change := tlsChange{live: live, security: live.security}
	wanted := *c.Engine.Settings(after).TLS != nil
	switch o.request.Type {
	case opsv1.ReconfigureTLS:
		change.security = security{}
		switch {
		case wanted:
			err = c.issue(ctx, o, after, &change)
		case !o.request.TLS.Remove: // the database is not the one any more for which the request was admitted
			err = &refusal{opsv1.ReasonInvalid, errors.New("spec.tls: the database has no TLS, and the request names no issuer")}
		}
	case opsv1.Restart, opsv1.Reconfigure:
		if !wanted {
			change.security = security{}
		} else if c.CertManager {
			err = c.renew(ctx, o, after, &change)
		}
	case opsv1.VolumeExpansion, opsv1.UpdateVersion, opsv1.HorizontalScaling, opsv1.VerticalScaling, opsv1.RotateAuth, opsv1.StorageMigration:
	}
	return change, err
}

// issue has certificates issued; what pods mount is not known until then.
func (c *Database) issue(ctx context.Context, o *operation, after engines.Database, change *tlsChange) (err error) {
	if !c.CertManager {
		return noCertManager()
	}
	change.secret = certs.PendingCopy(after.GetName())
	if change.live.secret != "" {
		change.trust = pendingTrust(change.live)
	}
	change.issues, err = c.records(ctx, o, after)
	return err
}

// pendingTrust are copies to pass through whose names are not known yet.
func pendingTrust(live mounting) map[string]string {
	trust := map[string]string{}
	for group := range live.workloads {
		trust[group] = ""
	}
	return trust
}

// renew takes the current certificates, if they can be used; otherwise pods keep what they mount. One that should have been renewed
// long ago keeps none of the others from the pods: it is taken as it is.
func (c *Database) renew(ctx context.Context, o *operation, after engines.Database, change *tlsChange) error {
	leaves, err := c.Executor.Leaves(ctx, c.Client, o.db.Object, steps.CertificateObjects(c.Engine, after))
	if err != nil || firstUnready(leaves, c.worthMounting) >= 0 {
		return err
	}
	exchange, err := c.Executor.Exchange(ctx, c.Engine, after, leaves, change.live.workloads)
	var problem *steps.CertificateError
	lost := errors.As(err, &problem) && problem.Reason == steps.ReasonCopyMissing
	if lost {
		// What the pods mount is gone, so nothing can be handed over: they get the current certificates at once.
		exchange, err = c.Executor.Exchange(ctx, c.Engine, after, leaves, nil)
	}
	switch {
	case errors.As(err, &problem):
		return nil
	case err != nil:
		return err
	case exchange.NewAuthority && o.request.Type == opsv1.Reconfigure:
		return nil
	}
	change.security = security{exchange.Copies.After, exchange.Copies.Mounted}
	change.copies = slices.DeleteFunc(exchange.Secrets, func(s *corev1.Secret) bool { return !lost && s.Name == change.live.secret })
	if exchange.NewAuthority {
		change.trust = exchange.Copies.Trust
	}
	return nil
}

// worthMounting tells whether nobody waits for another issuance of a certificate: it is there, or does not come.
func (c *Database) worthMounting(leaf *cmv1.Certificate) bool {
	return certs.Ready(leaf) || certs.Overdue(leaf, c.Journal.Now())
}

// records notes what each Certificate has been through, from the API server: a cache that is behind would make an
// issuance that is over look like the one that is asked for.
func (c *Database) records(ctx context.Context, o *operation, after engines.Database) (*steps.TLS, error) {
	objects := steps.CertificateObjects(c.Engine, after)
	leaves, err := c.Executor.Leaves(ctx, c.Live, o.db.Object, objects)
	if err != nil {
		return nil, err
	}
	tls := &steps.TLS{Adds: *c.Engine.Settings(o.db.Object).TLS == nil, Records: map[string]certs.Record{}}
	for i, leaf := range leaves {
		r := certs.RecordOf(leaf.Certificate)
		r.Reissue = o.request.TLS.Rotate ||
			(leaf.Certificate != nil && certs.NeedsTrigger(leaf.Certificate.Spec, objects.Leaves[i].Certificate.Spec))
		tls.Certificates = append(tls.Certificates, leaf.Alias)
		tls.Records[leaf.Alias] = r
	}
	return tls, nil
}

// trustFirst fills in what workloads pass through before they become what is asked for, and returns the configuration
// that it names. Pods trust a new authority before any of them presents its certificate; and clients find TLS on every
// pod before any pod insists on it.
func (c *Database) trustFirst(ctx context.Context, saved *steps.Saved, change tlsChange, after engines.Database, version *catalogv1.VersionSpec) ([]*corev1.Secret, error) {
	db := after.GetName()
	if change.trust != nil {
		saved.Trust = map[string]*appsv1.StatefulSet{}
		for group, before := range saved.Before.Workloads {
			name := change.trust[group]
			if name == "" {
				name = change.secret // pending
			}
			trusting, err := steps.Mounting(db, before, name, "")
			if err != nil {
				return nil, err
			}
			saved.Trust[group] = trusting
		}
		return nil, nil
	}
	required := c.Engine.Settings(after).RequireSSL
	if change.secret == "" || required == nil || !*required || len(saved.Rolls) == 0 {
		return nil, nil
	}
	if offered, err := c.offered(ctx, change.live, after); err != nil || offered {
		return nil, err
	}
	return c.offerFirst(ctx, saved, change, after, version)
}

// offered tells whether every pod speaks TLS already. A workload that mounts certificates is not enough: a request that was
// removed by force may have left pods that have none yet.
func (c *Database) offered(ctx context.Context, live mounting, db engines.Database) (bool, error) {
	if live.secret == "" {
		return false, nil
	}
	for _, g := range engines.Describe(c.Engine, db).Groups {
		pods, err := c.Cluster.Pods(ctx, db, g.Workload)
		if err != nil || slices.ContainsFunc(pods, func(p corev1.Pod) bool { return steps.CopyIn(db.GetName(), p.Spec) == "" }) {
			return false, err
		}
	}
	return true, nil
}

// offerFirst lets every pod speak TLS before one insists on it.
func (c *Database) offerFirst(ctx context.Context, saved *steps.Saved, change tlsChange, after engines.Database, version *catalogv1.VersionSpec) ([]*corev1.Secret, error) {
	offering := after.DeepCopyObject().(engines.Database)
	*c.Engine.Settings(offering).RequireSSL = false
	objects, err := c.render(ctx, offering, version, change.security)
	if err != nil {
		return nil, err
	}
	saved.Trust = map[string]*appsv1.StatefulSet{}
	var configs []*corev1.Secret
	for _, g := range objects.Groups {
		before := saved.Before.Workloads[g.Name]
		set, err := c.workload(g.StatefulSet, before.Spec.Template.Annotations[opsv1.AnnotationRestart])
		if err != nil {
			return nil, err
		}
		set.Spec.VolumeClaimTemplates = before.Spec.VolumeClaimTemplates
		saved.Trust[g.Name] = set
		configs = append(configs, g.Config)
	}
	return configs, nil
}

// unmade is a workload that does not exist, as provisioning would make it.
func (c *Database) unmade(ctx context.Context, o *operation, g engines.GroupObjects, mounts security) (*appsv1.StatefulSet, error) {
	if o.request.Type == opsv1.ReconfigureTLS {
		version, err := c.version(ctx, o.db.Object)
		if err != nil {
			return nil, err
		}
		objects, err := c.render(ctx, o.db.Object, version, mounts)
		if err != nil {
			return nil, err
		}
		for _, before := range objects.Groups {
			if before.Name == g.Name {
				g = before
			}
		}
	}
	restart, err := c.stampOf(ctx, o.db.Object, g.StatefulSet.Name) // of pods that a detached workload has left
	if err != nil {
		return nil, err
	}
	return c.workload(g.StatefulSet, restart)
}

// sameFiles tells whether two pods mount the same Secrets. Copies of certificates do not count: that one was renewed is
// no reason to restart for a changed configuration.
func sameFiles(db string, a, b corev1.PodSpec) bool {
	files := func(spec corev1.PodSpec) map[string]string {
		secrets := steps.SecretVolumes(spec)
		maps.DeleteFunc(secrets, func(_, name string) bool { return certs.IsCopy(db, name) })
		return secrets
	}
	return maps.Equal(files(a), files(b))
}
