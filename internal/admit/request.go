package admit

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/shape"
	"github.com/drydock-db/drydock/ops"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// operation is everything that the rules about one request look at. Rules read it and change nothing.
type operation struct {
	facts
	engine  engines.Engine
	kind    engines.Kind
	object  engines.OpsRequest
	request ops.Request
	who     string

	// db is nil when there is none of that name, and then only rules that need none are asked.
	db engines.Database
	// subject is db, or one that is imagined after the request. The settings are its own.
	subject   engines.Database
	settings  engines.Settings
	dialect   mycnf.Dialect
	mayUpdate bool
	siblings  []ops.Request
	// issuerRefs are the issuers that a ReconfigureTLS needs.
	issuerRefs []issuerRef
	// Only for VolumeExpansion: the claims by group, and the quotas of the namespace.
	claims map[string][]corev1.PersistentVolumeClaim
	quotas []corev1.ResourceQuota
}

// Request decides about a request; old is nil unless it is an edit. The controller calls it once more before an
// operation starts, with the requester that the annotation names. An error means that no decision could be made.
func (a *Admission) Request(ctx context.Context, e engines.Engine, r, old engines.OpsRequest, who authenticationv1.UserInfo) (Verdict, error) {
	if old != nil {
		return a.editedRequest(r, old, who), nil
	}
	o, err := a.operation(ctx, e, r, who)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Errors: shape.Check(specOf(r), specPath)}
	if !a.byOperator(who) {
		v.Errors = append(v.Errors, checkStamp(r, who)...)
	}
	v.Errors = append(v.Errors, check(o, requestRules...)...)
	v.Warnings = advise(o, requestHints...)
	if o.db == nil {
		v.Errors = append(v.Errors, check(o, bareRules[o.request.Type]...)...)
		return v, nil
	}
	v.Errors = append(v.Errors, check(o, operationRules[o.request.Type]...)...)
	v.Warnings = append(v.Warnings, advise(o, operationHints[o.request.Type]...)...)
	return v, nil
}

// editedRequest decides about an edit. The spec of a request cannot change; everything else is free, so that a request
// that was admitted under older rules can still be labelled and deleted.
func (a *Admission) editedRequest(r, old engines.OpsRequest, who authenticationv1.UserInfo) Verdict {
	var v Verdict
	if !a.byOperator(who) {
		v.Errors = checkStampKept(r, old)
	}
	if r.GetDeletionTimestamp() == nil && !SameSpec(r, old) {
		v.Errors = append(v.Errors, field.Forbidden(specPath,
			"the spec of an OpsRequest cannot change: delete the request to cancel it, and create another"))
	}
	return v
}

// operation fetches the facts.
func (a *Admission) operation(ctx context.Context, e engines.Engine, r engines.OpsRequest, who authenticationv1.UserInfo) (*operation, error) {
	from := reader{a, ctx, r.GetNamespace(), who}
	o := &operation{engine: e, kind: e.Kind(), object: r, request: e.Lower(r), who: who.Username}
	err := from.database(o)
	if err != nil {
		return nil, err
	}
	if o.db == nil {
		return o, from.gather(o)
	}
	if o.version, err = from.version(o.kind, deref(o.settings.Version)); err != nil {
		return nil, err
	}
	o.dialect = e.Dialect(o.version)
	if o.siblings, err = from.siblings(e, o.request.Database, r.GetName()); err != nil {
		return nil, err
	}
	if o.mayUpdate, err = from.may(authorizationv1.ResourceAttributes{
		Verb: "update", Group: o.kind.Database.Group, Version: o.kind.Database.Version, Resource: o.kind.DatabaseResource,
		Namespace: r.GetNamespace(), Name: o.request.Database,
	}); err != nil {
		return nil, err
	}
	return o, from.gather(o)
}

// database looks for the database that the request is about.
func (r reader) database(o *operation) error {
	o.about(nil)
	if o.request.Database == "" {
		return nil
	}
	db := o.kind.NewDatabase()
	found, err := r.read(r.namespace, o.request.Database, db, asShared...)
	if err != nil || !found {
		return err
	}
	o.about(db)
	return r.usable(o)
}

// about makes a database the one that the request is about; nil when there is none.
func (o *operation) about(db engines.Database) {
	o.db, o.subject = db, db
	if db == nil {
		o.subject = o.engine.Imagined(o.object)
	}
	o.settings, o.dialect = o.engine.Settings(o.subject), o.engine.Dialect(nil)
}

// usable looks at a database once more that no request may be about, in case it is not so any more.
func (r reader) usable(o *operation) error {
	if len(checkDatabaseUsable(o)) == 0 || r.config.Live == nil {
		return nil
	}
	now := o.kind.NewDatabase()
	found, err := r.get(r.config.Live, r.namespace, o.request.Database, now)
	if err != nil {
		return err
	}
	if o.about(nil); found {
		o.about(now)
	}
	return nil
}

// gather fetches what only some operations look at.
func (r reader) gather(o *operation) (err error) {
	switch o.request.Type {
	case opsv1.Reconfigure:
		o.secrets, err = r.secrets(o.configSecrets())
	case opsv1.ReconfigureTLS:
		o.issuerRefs = o.newIssuers()
		if o.secrets, err = r.secrets(o.issuingSecrets()); err == nil {
			o.issuers, err = r.issuers(o.issuerRefs)
		}
	case opsv1.VolumeExpansion:
		if o.db != nil {
			err = r.volumes(o)
		}
	default:
	}
	return err
}

// volumes fetches the claims of the database, the StorageClasses and the quotas.
func (r reader) volumes(o *operation) (err error) {
	if o.classes, err = r.storageClasses(); err != nil {
		return err
	}
	var claims corev1.PersistentVolumeClaimList
	if err := r.config.Reader.List(r.ctx, &claims, client.InNamespace(r.namespace),
		client.MatchingLabels(engines.SelectorLabels(o.kind, o.db))); err != nil {
		return fmt.Errorf("listing the claims of %s: %w", o.request.Database, err)
	}
	o.claims = map[string][]corev1.PersistentVolumeClaim{}
	for _, g := range o.settings.Groups {
		o.claims[g.Name] = claimsOf(g, claims.Items)
	}
	var quotas corev1.ResourceQuotaList
	if err := r.config.Reader.List(r.ctx, &quotas, client.InNamespace(r.namespace)); err != nil {
		return fmt.Errorf("listing the quotas of %s: %w", r.namespace, err)
	}
	o.quotas = quotas.Items
	return nil
}

// claimsOf picks the claims of the pods that the group has. It goes by the claims and not by the pods: the number of pods
// is what a user wrote and can be any.
func claimsOf(g engines.GroupSettings, all []corev1.PersistentVolumeClaim) []corev1.PersistentVolumeClaim {
	names := ops.Group{Workload: g.Workload}
	prefix := strings.TrimSuffix(names.Claim(0), "0")
	var own []corev1.PersistentVolumeClaim
	for _, claim := range all {
		text, ok := strings.CutPrefix(claim.Name, prefix)
		ordinal, err := strconv.ParseInt(text, 10, 32)
		if ok && err == nil && ordinal >= 0 && int32(ordinal) < g.ReplicaCount() && claim.Name == names.Claim(int32(ordinal)) {
			own = append(own, claim)
		}
	}
	return own
}

// configSecrets are the Secrets that a Reconfigure names.
func (o *operation) configSecrets() []secretRef {
	var refs []secretRef
	for _, g := range o.settings.Groups {
		if c, ok := o.request.Configuration[g.Name]; ok && c.ConfigSecret != nil && c.ConfigSecret.Name != "" {
			refs = append(refs, secretRef{o.configPath(g).Child("configSecret", "name"), c.ConfigSecret.Name, forConfiguration})
		}
	}
	return refs
}

// issuingSecrets are the Secrets that a ReconfigureTLS would have certificates written into.
func (o *operation) issuingSecrets() []secretRef {
	if o.request.TLS == nil {
		return nil
	}
	return secretsForIssuing(tlsPath, o.subject, &o.request.TLS.TLSConfig)
}

var configurationPath = specPath.Child("configuration")

// configPath is where the request speaks of the configuration of a group.
func (o *operation) configPath(g engines.GroupSettings) *field.Path {
	if g.ConfigField == "" {
		return configurationPath
	}
	return configurationPath.Child(g.ConfigField)
}
