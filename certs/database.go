package certs

import (
	"slices"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// Facts are what a database's certificates take from it.
type Facts struct {
	Name, Namespace string
	// Headless is the name of the Service that gives each pod its own address.
	Headless string
	// CommonName of every certificate.
	CommonName string
	Labels     map[string]string
	// Aliases of the certificates that the database's kind uses.
	Aliases []string
}

// Objects are what cert-manager is asked for.
type Objects struct {
	// Issuers and Authority are the managed issuer; there are none when the user names one.
	Issuers   []*cmv1.Issuer
	Authority *cmv1.Certificate
	// Leaves in the order of the kind's aliases.
	Leaves []Leaf
}

// Leaf is one certificate of a database.
type Leaf struct {
	Alias       string
	Certificate *cmv1.Certificate
}

// All lists every Certificate, the managed authority first.
func (o Objects) All() []*cmv1.Certificate {
	var all []*cmv1.Certificate
	if o.Authority != nil {
		all = append(all, o.Authority)
	}
	for _, leaf := range o.Leaves {
		all = append(all, leaf.Certificate)
	}
	return all
}

// Build returns the objects for a database's TLS settings; none when they are nil. There is one Certificate per alias,
// whatever its Secret is called, so that one whose Secret is renamed stays the same object.
func Build(f Facts, tls *kubedbv1.TLSConfig) Objects {
	var o Objects
	if tls == nil {
		return o
	}
	managed := false
	for _, alias := range f.Aliases {
		spec := kubedbv1.CertificateSpec{Alias: alias}
		if i := slices.IndexFunc(tls.Certificates, func(s kubedbv1.CertificateSpec) bool { return s.Alias == alias }); i >= 0 {
			spec = *tls.Certificates[i].DeepCopy()
		}
		issuer := tls.IssuerRef
		if spec.IssuerRef != nil {
			issuer = spec.IssuerRef
		}
		managed = managed || issuer == nil
		o.Leaves = append(o.Leaves, Leaf{Alias: alias, Certificate: f.leaf(spec, f.reference(issuer))})
	}
	if managed {
		o.Issuers, o.Authority = f.managed()
	}
	return o
}

func (f Facts) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: f.Namespace, Labels: f.Labels}
}

// reference is cert-manager's form of a reference; without one it is to the managed issuer.
func (f Facts) reference(ref *corev1.TypedLocalObjectReference) cmmeta.IssuerReference {
	if ref == nil {
		return cmmeta.IssuerReference{Group: group, Kind: cmv1.IssuerKind, Name: authorityName(f.Name)}
	}
	r := cmmeta.IssuerReference{Group: group, Kind: ref.Kind, Name: ref.Name}
	if ref.APIGroup != nil && *ref.APIGroup != "" {
		r.Group = *ref.APIGroup
	}
	return r
}

func (f Facts) leaf(spec kubedbv1.CertificateSpec, issuer cmmeta.IssuerReference) *cmv1.Certificate {
	name := Name(f.Name, spec.Alias)
	secret := spec.SecretName
	if secret == "" {
		secret = name
	}
	c := &cmv1.Certificate{
		TypeMeta:   metav1.TypeMeta{APIVersion: cmv1.SchemeGroupVersion.String(), Kind: cmv1.CertificateKind},
		ObjectMeta: f.meta(name),
		Spec: cmv1.CertificateSpec{
			SecretName:     secret,
			IssuerRef:      issuer,
			CommonName:     f.CommonName,
			DNSNames:       unique(f.hosts(), spec.DNSNames),
			IPAddresses:    unique([]string{"127.0.0.1"}, spec.IPAddresses),
			URIs:           spec.URIs,
			EmailAddresses: spec.EmailAddresses,
			Subject:        subject(spec.Subject),
			Duration:       spec.Duration,
			RenewBefore:    spec.RenewBefore,
			Usages: []cmv1.KeyUsage{
				cmv1.UsageDigitalSignature, cmv1.UsageKeyEncipherment, cmv1.UsageServerAuth, cmv1.UsageClientAuth,
			},
		},
	}
	// Algorithm and rotation policy are left to cert-manager: every choice works here.
	if spec.PrivateKey != nil && spec.PrivateKey.Encoding != "" {
		c.Spec.PrivateKey = &cmv1.CertificatePrivateKey{Encoding: cmv1.PrivateKeyEncoding(spec.PrivateKey.Encoding)}
	}
	return c
}

// hosts are the names under which pods and Services are reached.
func (f Facts) hosts() []string {
	pods := "*." + f.Headless + "." + f.Namespace + ".svc"
	service := f.Name + "." + f.Namespace + ".svc"
	return []string{pods, pods + ".cluster.local", "*." + service, "localhost", f.Name, service}
}

// unique joins the lists and keeps the first of equal entries.
func unique(lists ...[]string) []string {
	var all []string
	for _, item := range slices.Concat(lists...) {
		if !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}

func subject(s *kubedbv1.X509Subject) *cmv1.X509Subject {
	if s == nil {
		return nil
	}
	return &cmv1.X509Subject{
		Organizations: s.Organizations, Countries: s.Countries, OrganizationalUnits: s.OrganizationalUnits,
		Localities: s.Localities, Provinces: s.Provinces, StreetAddresses: s.StreetAddresses,
		PostalCodes: s.PostalCodes, SerialNumber: s.SerialNumber,
	}
}

// Lifetimes of a managed authority. It is renewed so early that no certificate it signs outlives it, up to five years.
const (
	managedLife    = 10 * 365 * 24 * time.Hour
	managedOverlap = managedLife / 2
)

// managed is an authority of the database's own: one that signs itself, and an issuer that signs with it.
func (f Facts) managed() ([]*cmv1.Issuer, *cmv1.Certificate) {
	issuer := func(name string, config cmv1.IssuerConfig) *cmv1.Issuer {
		return &cmv1.Issuer{
			TypeMeta:   metav1.TypeMeta{APIVersion: cmv1.SchemeGroupVersion.String(), Kind: cmv1.IssuerKind},
			ObjectMeta: f.meta(name),
			Spec:       cmv1.IssuerSpec{IssuerConfig: config},
		}
	}
	name := authorityName(f.Name)
	authority := &cmv1.Certificate{
		TypeMeta:   metav1.TypeMeta{APIVersion: cmv1.SchemeGroupVersion.String(), Kind: cmv1.CertificateKind},
		ObjectMeta: f.meta(name),
		Spec: cmv1.CertificateSpec{
			SecretName:  name,
			IsCA:        true,
			CommonName:  name,
			Duration:    &metav1.Duration{Duration: managedLife},
			RenewBefore: &metav1.Duration{Duration: managedOverlap},
			PrivateKey:  &cmv1.CertificatePrivateKey{Algorithm: cmv1.ECDSAKeyAlgorithm, Size: 256},
			IssuerRef:   cmmeta.IssuerReference{Group: group, Kind: cmv1.IssuerKind, Name: SelfSignedName(f.Name)},
			Usages:      []cmv1.KeyUsage{cmv1.UsageDigitalSignature, cmv1.UsageCertSign, cmv1.UsageCRLSign},
		},
	}
	return []*cmv1.Issuer{
		issuer(SelfSignedName(f.Name), cmv1.IssuerConfig{SelfSigned: &cmv1.SelfSignedIssuer{}}),
		issuer(name, cmv1.IssuerConfig{CA: &cmv1.CAIssuer{SecretName: name}}),
	}, authority
}
