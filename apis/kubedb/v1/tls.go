package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TLSConfig asks for TLS. An empty object asks for a managed, self-signed issuer.
type TLSConfig struct {
	// IssuerRef names the cert-manager Issuer or ClusterIssuer that signs every certificate without one of its own.
	// +optional
	IssuerRef *corev1.TypedLocalObjectReference `json:"issuerRef,omitempty"`
	// Certificates overrides settings certificate by certificate.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	Certificates []CertificateSpec `json:"certificates,omitempty" validate:"omitempty,unique=Alias,dive"`
}

// Certificate aliases.
const (
	AliasServer          = "server"
	AliasClient          = "client"
	AliasMetricsExporter = "metrics-exporter"
)

// CertificateSpec overrides the settings of one certificate.
type CertificateSpec struct {
	// Alias of the certificate: server, client or metrics-exporter.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Alias string `json:"alias" validate:"required"`
	// IssuerRef overrides the issuer for this certificate.
	// +optional
	IssuerRef *corev1.TypedLocalObjectReference `json:"issuerRef,omitempty"`
	// SecretName overrides <database>-<alias>-cert.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`
	// Subject of the certificate.
	// +optional
	Subject *X509Subject `json:"subject,omitempty"`
	// Duration the certificate is valid for.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-+]?(0|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|[uµμ]s|ms|s|m|h))+)$') && duration(self) == duration(self)",message="write a duration such as 10m or 1h30m"
	Duration *metav1.Duration `json:"duration,omitempty" validate:"omitempty,min_duration=1h"`
	// RenewBefore is how long before expiry cert-manager renews the certificate.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-+]?(0|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|[uµμ]s|ms|s|m|h))+)$') && duration(self) == duration(self)",message="write a duration such as 10m or 1h30m"
	RenewBefore *metav1.Duration `json:"renewBefore,omitempty" validate:"omitempty,min_duration=5m"`
	// DNSNames are added to the database's own names.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	DNSNames []string `json:"dnsNames,omitempty" validate:"omitempty,dive,dns_name"`
	// IPAddresses are added to 127.0.0.1.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=64
	IPAddresses []string `json:"ipAddresses,omitempty" validate:"omitempty,dive,ip"`
	// URIs are added as subject alternative names.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=512
	URIs []string `json:"uris,omitempty" validate:"omitempty,dive,uri"`
	// EmailAddresses are added as subject alternative names.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=320
	EmailAddresses []string `json:"emailAddresses,omitempty" validate:"omitempty,dive,email"`
	// PrivateKey options.
	// +optional
	PrivateKey *CertificatePrivateKey `json:"privateKey,omitempty"`
}

// CertificatePrivateKey are options of a certificate's key.
type CertificatePrivateKey struct {
	// Encoding of the key.
	// +optional
	// +kubebuilder:validation:Enum=PKCS1;PKCS8
	Encoding string `json:"encoding,omitempty"`
}

// X509Subject is the subject of a certificate.
type X509Subject struct {
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	Organizations []string `json:"organizations,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=64
	Countries []string `json:"countries,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	OrganizationalUnits []string `json:"organizationalUnits,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	Localities []string `json:"localities,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	Provinces []string `json:"provinces,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=256
	StreetAddresses []string `json:"streetAddresses,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=64
	PostalCodes []string `json:"postalCodes,omitempty"`
	// +optional
	// +kubebuilder:validation:MaxLength=128
	SerialNumber string `json:"serialNumber,omitempty"`
}
