package engines

import (
	corev1 "k8s.io/api/core/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/certs"
)

// DefaultSettings fills what the user left out of the parts that every kind has. What pods are made of (security
// contexts, resources, probes) is not among it: that is filled when it is rendered, so that a later version of the
// operator can choose better and the spec stays what the user wrote.
func DefaultSettings(db Database, s Settings, aliases []string) {
	fillField(s.StorageType, kubedbv1.StorageDurable)
	fillField(s.DeletionPolicy, kubedbv1.DeletionDelete)
	if s.AuthSecret != nil && *s.AuthSecret == nil {
		*s.AuthSecret = &kubedbv1.SecretReference{}
	}
	for _, ref := range []*kubedbv1.SecretReference{inner(s.AuthSecret), inner(s.LicenseSecret)} {
		if ref != nil {
			fillField(&ref.Kind, "Secret")
		}
	}
	if h := s.HealthChecker; h != nil {
		unset(&h.PeriodSeconds, 10)
		unset(&h.TimeoutSeconds, 10)
		unset(&h.FailureThreshold, 1)
	}
	if m := inner(s.Monitor); m != nil && m.Prometheus != nil {
		fillField(&m.Prometheus.Exporter.Port, defaultMetricsPort)
	}
	for _, g := range s.Groups {
		moveConfigSecret(g.ConfigSecret, g.Configuration)
	}
	defaultCertificates(db, inner(s.TLS), aliases)
}

// MoveTerminationPolicy moves the older field to the newer one. The older name is never stored, so whoever sends it means it,
// and it wins over what is stored under the newer one.
func MoveTerminationPolicy(s Settings) {
	if s.TerminationPolicy != nil && *s.TerminationPolicy != "" {
		*s.DeletionPolicy, *s.TerminationPolicy = *s.TerminationPolicy, ""
	}
}

// fillField writes the value if there is a field and it has its zero value.
func fillField[T comparable](field *T, value T) {
	var zero T
	if field != nil && *field == zero {
		*field = value
	}
}

// DefaultReplicas sets the number of pods where the user does not.
func DefaultReplicas(replicas **int32, n int32) { unset(replicas, n) }

// moveConfigSecret moves the older field to the newer one, which wins when both are given. The older one is always
// cleared, so that it is never a second truth.
func moveConfigSecret(old **corev1.LocalObjectReference, configuration **kubedbv1.ConfigurationSpec) {
	if old == nil || *old == nil {
		return
	}
	name := (*old).Name
	*old = nil
	if name == "" {
		return
	}
	if *configuration == nil {
		*configuration = &kubedbv1.ConfigurationSpec{}
	}
	fillField(&(*configuration).SecretName, name)
}

// CertificateSecret is the name of the Secret that clients find a certificate in, unless the user gives another.
func CertificateSecret(db Database, alias string) string { return certs.Name(db.GetName(), alias) }

// defaultCertificates lists every certificate of the kind and names its Secret. Without an issuer there is nothing to
// list: the database asks for a managed issuer, whose certificates are the operator's own affair.
func defaultCertificates(db Database, tls *kubedbv1.TLSConfig, aliases []string) {
	if tls == nil || tls.IssuerRef == nil || db.GetName() == "" { // generateName: the name comes after admission
		return
	}
	listed := map[string]bool{}
	for i := range tls.Certificates {
		c := &tls.Certificates[i]
		listed[c.Alias] = true
		if c.Alias != "" {
			fillField(&c.SecretName, CertificateSecret(db, c.Alias))
		}
	}
	for _, alias := range aliases {
		if !listed[alias] {
			tls.Certificates = append(tls.Certificates,
				kubedbv1.CertificateSpec{Alias: alias, SecretName: CertificateSecret(db, alias)})
		}
	}
}
