package admit

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/shape"
	"github.com/drydock-db/drydock/ops/mycnf"
)

// proposal is a database as somebody would have it, and everything that the rules about it look at.
type proposal struct {
	facts
	engine   engines.Engine
	kind     engines.Kind
	db       engines.Database
	settings engines.Settings
	dialect  mycnf.Dialect
	who      string
	// placement tells that a podPlacementPolicy has an effect.
	placement bool
	// old is nil on creation. It has been defaulted as the new one has, so that a default is no change.
	old engines.Database
	was engines.Settings
	// newSecrets and newIssuers are the references that the old one does not have.
	newSecrets []secretRef
	newIssuers []issuerRef
}

// Database decides about a database; old is nil on creation. An error means that no decision could be made.
func (a *Admission) Database(ctx context.Context, e engines.Engine, db, old engines.Database, who authenticationv1.UserInfo) (Verdict, error) {
	if a.byOperator(who) || db.GetDeletionTimestamp() != nil {
		return Verdict{}, nil
	}
	if old != nil {
		if SameSpec(db, old) {
			return Verdict{}, nil
		}
		if errs := a.checkGate(ctx, e, old); len(errs) > 0 {
			return Verdict{Errors: errs}, nil
		}
	}
	p, err := a.proposal(ctx, e, db, old, who)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Errors: p.lasting(), Warnings: advise(p, databaseHints...)}
	v.Errors = append(v.Errors, check(p, referenceRules...)...)
	if old == nil {
		v.Errors = append(v.Errors, check(p, creationRules...)...)
	} else {
		v.Errors = append(v.Errors, check(p, editRules...)...)
		v.Warnings = append(v.Warnings, advise(p, editHints...)...)
	}
	return v, nil
}

// Standing decides about a database that is stored, by the rules that hold whoever asks and whatever it was before. It
// reads nothing. The controller asks before it carries out a spec; isNew tells that it has carried out none yet.
func (a *Admission) Standing(e engines.Engine, db engines.Database, version *catalogv1.VersionSpec, isNew bool) field.ErrorList {
	p := &proposal{
		facts: facts{version: version}, engine: e, kind: e.Kind(), db: db, settings: e.Settings(db), dialect: e.Dialect(version),
		placement: a.config.Placement,
	}
	if !isNew {
		return p.standing(db)
	}
	return append(p.standing(nil), check(p, checkVersion, checkVolumes, checkExporterPort)...)
}

// proposal fetches the facts.
func (a *Admission) proposal(ctx context.Context, e engines.Engine, db, old engines.Database, who authenticationv1.UserInfo) (*proposal, error) {
	from := reader{a, ctx, db.GetNamespace(), who}
	p := &proposal{engine: e, kind: e.Kind(), db: db, settings: e.Settings(db), who: who.Username, placement: a.config.Placement}
	p.newSecrets = secretsOf(db, p.settings)
	p.newIssuers = issuersOf(tlsPath, inner(p.settings.TLS))
	var err error
	if p.version, err = from.version(p.kind, deref(p.settings.Version)); err != nil {
		return nil, err
	}
	p.dialect = e.Dialect(p.version)
	if old != nil {
		p.old, _ = old.DeepCopyObject().(engines.Database)
		e.Default(p.old)
		p.was = e.Settings(p.old)
		p.newSecrets = changed(p.newSecrets, secretsOf(p.old, p.was), secretRef.identity)
		p.newIssuers = changed(p.newIssuers, issuersOf(tlsPath, inner(p.was.TLS)), issuerRef.identity)
	}
	if p.secrets, err = from.secrets(p.newSecrets); err != nil {
		return nil, err
	}
	if p.issuers, err = from.issuers(p.newIssuers); err != nil {
		return nil, err
	}
	if groups := p.newStorage(); len(groups) > 0 {
		var named []*string
		for _, g := range groups {
			named = append(named, inner(g.Storage).StorageClassName)
		}
		p.classes, err = from.storageClasses(named...)
	}
	return p, err
}

// lasting returns what is wrong with the spec by rules that hold at any time. On an edit it leaves out what was wrong
// before: an object that was admitted under older rules can still be edited elsewhere.
func (p *proposal) lasting() field.ErrorList {
	errs := p.standing(p.old)
	if p.old == nil {
		return errs
	}
	known := map[string]bool{}
	for _, e := range p.before().standing(p.old) {
		known[e.Error()] = true
	}
	var fresh field.ErrorList
	for _, e := range errs {
		if !known[e.Error()] {
			fresh = append(fresh, e)
		}
	}
	return fresh
}

// before is the database before an edit, with what is known about it without looking.
func (p *proposal) before() *proposal {
	return &proposal{
		facts: facts{version: p.version}, engine: p.engine, kind: p.kind, db: p.old, settings: p.was, dialect: p.dialect,
		who: p.who, placement: p.placement, old: p.old, was: p.was,
	}
}

// standing runs the rules that need no facts.
func (p *proposal) standing(old engines.Database) field.ErrorList {
	errs := shape.Check(specOf(p.db), specPath)
	errs = append(errs, p.engine.CheckDatabase(p.db, old)...)
	errs = append(errs, engines.CheckPodTemplates(p.engine, p.settings)...)
	return append(errs, check(p, databaseRules...)...)
}

// newStorage lists the groups whose storage is new; on an edit nothing about it may change but the size.
func (p *proposal) newStorage() []engines.GroupSettings {
	if p.old != nil || !p.durable() {
		return nil
	}
	var groups []engines.GroupSettings
	for _, g := range p.settings.Groups {
		if inner(g.Storage) != nil {
			groups = append(groups, g)
		}
	}
	return groups
}
