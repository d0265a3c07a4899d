package admit

import (
	"fmt"
	"slices"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// purpose is what a Secret is named for.
type purpose string

const (
	// forConfiguration: its keys are configuration files.
	forConfiguration purpose = "configuration"
	// forLicence: its key password is a licence.
	forLicence purpose = "licence"
	// forCredentials: its keys are username and password.
	forCredentials purpose = "credentials"
	// forPods: pods of the database mount it or take variables from it.
	forPods purpose = "pods"
	// forOpening: it opens a volume, a registry or a repository; pods do not see it.
	forOpening purpose = "opening"
	// forIssuing: cert-manager writes a certificate into it.
	forIssuing purpose = "issuing"
)

// read tells whether the operator reads a Secret of that purpose, so that its absence and its content can be told.
func (p purpose) read() bool { return p != forIssuing && p != forPods && p != forOpening }

// secretRef is the name of a Secret and where the user wrote it.
type secretRef struct {
	path *field.Path
	name string
	use  purpose
}

// issuerRef is a reference to an issuer and where the user wrote it.
type issuerRef struct {
	path *field.Path
	ref  corev1.TypedLocalObjectReference
	// kept tells that the database names it and not the request; path is then what the request asks for.
	kept bool
}

var groupCertManager = cmv1.SchemeGroupVersion.Group

var specPath = field.NewPath("spec")

// issuersOf lists the issuers that a TLS section names.
func issuersOf(path *field.Path, tls *kubedbv1.TLSConfig) []issuerRef {
	if tls == nil {
		return nil
	}
	var refs []issuerRef
	if tls.IssuerRef != nil {
		refs = append(refs, issuerRef{path: path.Child("issuerRef"), ref: *tls.IssuerRef})
	}
	for i, c := range tls.Certificates {
		if c.IssuerRef != nil {
			refs = append(refs, issuerRef{path: path.Child("certificates").Index(i).Child("issuerRef"), ref: *c.IssuerRef})
		}
	}
	return refs
}

// group of an issuer; cert-manager's own is meant when none is given.
func (i issuerRef) group() string {
	if g := deref(i.ref.APIGroup); g != "" {
		return g
	}
	return groupCertManager
}

// known tells whether it is an issuer at all; what is wrong otherwise is a matter of rules, not of facts.
func (i issuerRef) known() bool {
	return i.group() == groupCertManager && i.ref.Name != "" &&
		(i.ref.Kind == cmv1.IssuerKind || i.ref.Kind == cmv1.ClusterIssuerKind)
}

// key under which facts are kept: what the database has already is looked at without asking for anybody's rights.
func (i issuerRef) key() string {
	if i.kept {
		return "kept/" + i.ref.Kind + "/" + i.ref.Name
	}
	return i.ref.Kind + "/" + i.ref.Name
}

// field is where an error about a part of the reference belongs.
func (i issuerRef) field(part string) *field.Path {
	if i.kept {
		return i.path
	}
	return i.path.Child(part)
}

// secretsOf lists the Secrets that a database names.
func secretsOf(db engines.Database, s engines.Settings) []secretRef {
	var refs []secretRef
	add := func(path *field.Path, name string, use purpose) {
		if name != "" {
			refs = append(refs, secretRef{path, name, use})
		}
	}
	for _, g := range s.Groups {
		if c := inner(g.Configuration); c != nil {
			add(g.Path.Child("configuration", "secretName"), c.SecretName, forConfiguration)
		}
	}
	if l := inner(s.LicenseSecret); l != nil {
		add(specPath.Child("licenseSecret", "name"), l.Name, forLicence)
	}
	if auth := inner(s.AuthSecret); auth != nil {
		add(specPath.Child("authSecret", "name"), auth.Name, forCredentials)
	}
	for _, fields := range userSecrets {
		if ref, ok := at(db, fields...).(*kubedbv1.SecretReference); ok && ref != nil {
			add(specPath.Child(fields[1], append(fields[2:], "name")...), ref.Name, forCredentials)
		}
	}
	refs = append(refs, secretsForIssuing(tlsPath, db, inner(s.TLS))...)
	return append(refs, secretsOfPods(s)...)
}

// secretsForIssuing lists the Secrets that certificates would be written into, unless they have the operator's names.
func secretsForIssuing(path *field.Path, db engines.Database, tls *kubedbv1.TLSConfig) []secretRef {
	if tls == nil {
		return nil
	}
	var refs []secretRef
	for i, c := range tls.Certificates {
		if c.SecretName != "" && c.SecretName != engines.CertificateSecret(db, c.Alias) {
			refs = append(refs, secretRef{path.Child("certificates").Index(i).Child("secretName"), c.SecretName, forIssuing})
		}
	}
	return refs
}

// userSecrets are fields with credentials of internal users, which not every kind has.
var userSecrets = [][]string{
	{"spec", "systemUserSecrets", "replicationUserSecret"},
	{"spec", "systemUserSecrets", "monitorUserSecret"},
}

// changed keeps what the old object does not have for the same purpose: only references that change are looked into. Their places
// do not count, since those in a list move when one before them goes.
func changed[T comparable, R any](now, was []R, identity func(R) T) []R {
	return slices.DeleteFunc(now, func(r R) bool {
		return slices.ContainsFunc(was, func(old R) bool { return identity(old) == identity(r) })
	})
}

func (s secretRef) identity() string { return string(s.use) + "=" + s.name }

// key under which facts are kept: writing into a Secret is another right than reading it.
func (s secretRef) key() string {
	if s.use == forIssuing {
		return "write/" + s.name
	}
	return s.name
}

func (i issuerRef) identity() string {
	return fmt.Sprintf("%s/%s/%s", i.group(), i.ref.Kind, i.ref.Name)
}

// deref returns what a pointer points to, or the zero value.
func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// inner returns what a pointer into settings leads to; nil when the kind has no such field or the user left it out.
func inner[T any](p **T) *T { return deref(p) }
