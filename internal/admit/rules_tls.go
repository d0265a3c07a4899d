package admit

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/ops"
)

var tlsPath = specPath.Child("tls")

// present is the TLS configuration of the database before the operation; nil when it has none.
func (o *operation) present() *kubedbv1.TLSConfig { return inner(o.settings.TLS) }

// edits tells whether the request brings another TLS configuration.
func (o *operation) edits() bool {
	t := o.request.TLS
	return t.IssuerRef != nil || len(t.Certificates) > 0 || t.RequireSSL != nil
}

// checkOneChange wants exactly one of a removal, a rotation and another configuration.
func checkOneChange(o *operation) field.ErrorList {
	t := o.request.TLS
	if t == nil {
		return nil
	}
	choices := "issuerRef and certificates"
	if o.settings.RequireSSL != nil {
		choices = "issuerRef, certificates and requireSSL"
	}
	given := 0
	for _, asked := range []bool{t.Remove, t.Rotate, o.edits()} {
		if asked {
			given++
		}
	}
	switch given {
	case 0:
		return field.ErrorList{field.Required(tlsPath,
			"nothing to change is given: set remove, rotateCertificates, or any of "+choices)}
	case 1:
		return nil
	}
	return field.ErrorList{field.Forbidden(tlsPath,
		"remove, rotateCertificates and a new configuration ("+choices+") exclude each other: make one request for each")}
}

// checkHasTLS refuses to rotate or to remove what is not there.
func checkHasTLS(o *operation) field.ErrorList {
	t := o.request.TLS
	if t == nil || o.present() != nil {
		return nil
	}
	var errs field.ErrorList
	without := o.kind.Database.Kind + " " + o.request.Database + " has no TLS"
	if t.Remove {
		errs = append(errs, field.Forbidden(tlsPath.Child("remove"), without+" that could be removed"))
	}
	if t.Rotate {
		errs = append(errs, field.Forbidden(tlsPath.Child("rotateCertificates"),
			without+": add it with issuerRef before there is a certificate to rotate"))
	}
	return errs
}

// checkResultingTLS refuses settings of TLS that would be left without TLS.
func checkResultingTLS(o *operation) field.ErrorList {
	t := o.request.TLS
	if t == nil || o.present() != nil || t.IssuerRef != nil || t.Remove || t.Rotate {
		return nil
	}
	without := o.kind.Database.Kind + " " + o.request.Database + " has no TLS yet"
	switch {
	case t.RequireSSL != nil:
		return field.ErrorList{field.Required(tlsPath.Child("issuerRef"), without+" that requireSSL could be about: name an issuer too")}
	case len(t.Certificates) > 0:
		return field.ErrorList{field.Required(tlsPath.Child("issuerRef"), without+": name an issuer for its certificates")}
	}
	return nil
}

func checkRequestCertificates(o *operation) field.ErrorList {
	if o.request.TLS == nil {
		return nil
	}
	var merged []kubedbv1.CertificateSpec
	if tls := ops.ChangedTLS(o.present(), *o.request.TLS); tls != nil {
		merged = tls.Certificates
	}
	for i := range merged {
		if o.db == nil && merged[i].Duration == nil { // which the database may have, of any length
			merged[i].RenewBefore = nil
		}
	}
	errs := checkCertificates(tlsPath, o.request.TLS.Certificates, merged, o.engine, o.subject)
	return append(errs, checkSecretRefs(o.issuingSecrets(), o.secrets, o.who)...)
}

// checkRequestIssuers refuses a missing issuer too: an operation that waits for one holds up everything behind it.
func checkRequestIssuers(o *operation) field.ErrorList {
	errs := checkIssuers(o.issuerRefs, o.issuers, o.who)
	for _, i := range o.issuerRefs {
		if !i.known() || !o.issuers[i.key()].missing() {
			continue
		}
		remedy := ": create it first, or correct the name"
		if i.kept {
			remedy = ", which the certificates of the database come from: create it again, or change to another one by a request with issuerRef"
		}
		errs = append(errs, notFound(i.field("name"), i.ref.Name, i.whereabouts(o.object.GetNamespace())+remedy))
	}
	return errs
}

// newIssuers are the issuers that sign what the request has issued: those that it names, and those that the database
// keeps for its certificates. Nothing is issued when TLS is removed, or when only requireSSL changes.
func (o *operation) newIssuers() []issuerRef {
	t := o.request.TLS
	if t == nil {
		return nil
	}
	refs := issuersOf(tlsPath, &t.TLSConfig)
	asked := tlsPath.Child("rotateCertificates")
	switch {
	case t.Remove, o.present() == nil:
		return refs
	case t.IssuerRef != nil:
		asked = tlsPath.Child("issuerRef")
	case len(t.Certificates) > 0:
		asked = tlsPath.Child("certificates")
	case !t.Rotate:
		return refs
	}
	return withKept(refs, asked, o.signers(ops.ChangedTLS(o.present(), *t)))
}

// signers are the issuers that certificates come from; that of the whole section is none when every certificate has another.
func (o *operation) signers(tls *kubedbv1.TLSConfig) []issuerRef {
	common := func(c kubedbv1.CertificateSpec) bool { return c.IssuerRef == nil }
	if len(tls.Certificates) >= len(o.engine.Aliases()) && !slices.ContainsFunc(tls.Certificates, common) {
		tls = &kubedbv1.TLSConfig{Certificates: tls.Certificates}
	}
	return issuersOf(tlsPath, tls)
}

// withKept adds those that are not among the references yet; errors about them belong to what was asked for.
func withKept(refs []issuerRef, asked *field.Path, signers []issuerRef) []issuerRef {
	for _, i := range signers {
		named := func(r issuerRef) bool { return r.ref.Kind == i.ref.Kind && r.ref.Name == i.ref.Name }
		if i.known() && !slices.ContainsFunc(refs, named) {
			refs = append(refs, issuerRef{path: asked, ref: i.ref, kept: true})
		}
	}
	return refs
}

func hintIssuers(o *operation) []string {
	var hints []string
	for _, text := range unready(o.issuerRefs, o.issuers) {
		hints = append(hints, text+": the certificates wait for it, and the operation fails when that takes longer than its timeout")
	}
	return hints
}

// hintDowntime is for clients that do not speak TLS.
func hintDowntime(o *operation) []string {
	t := o.request.TLS
	switch {
	case t == nil:
		return nil
	case deref(t.RequireSSL):
		return []string{"once every pod has its certificate, connections without TLS are refused"}
	case t.Remove && deref(o.settings.RequireSSL):
		return []string{"requireSSL is switched off together with TLS"}
	}
	return nil
}
