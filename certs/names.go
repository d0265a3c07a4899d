package certs

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// group of cert-manager's API.
var group = cmv1.SchemeGroupVersion.Group

// maxCommonName is the longest common name that X.509 allows, in bytes.
const maxCommonName = 64

// Name of a database's Certificate, and of its Secret unless the user gives another.
func Name(db, alias string) string { return db + "-" + alias + "-cert" }

// authorityName is the name of a managed authority: its Certificate, its Secret and the Issuer that signs with it.
func authorityName(db string) string { return db + "-ca" }

// SelfSignedName is the name of the Issuer that signs a managed authority.
func SelfSignedName(db string) string { return db + "-selfsigned" }

// CommonName is the wanted name, or the database's own where that is too long for a certificate.
func CommonName(wanted, db string) string {
	if len(wanted) <= maxCommonName {
		return wanted
	}
	return db
}

// pending stands in the name of a copy for the hash of what has not been issued yet.
const pending = "pending"

// hashBytes is how much of a hash a copy's name has.
const hashBytes = 5

// copyInfix is what the names of all copies of a database begin with, after its own name.
const copyInfix = "-tls-"

// CopyName is the name of the immutable Secret with that content.
func CopyName(db string, c Copy) string { return db + copyInfix + c.hash() }

// PendingCopy stands in a pod template for a copy whose name is not known before the certificates are issued.
func PendingCopy(db string) string { return db + copyInfix + pending }

// IsCopy tells whether a Secret has the name of a copy, or of one that is pending.
func IsCopy(db, secret string) bool {
	rest, ok := strings.CutPrefix(secret, db+copyInfix)
	if !ok || rest == pending {
		return ok
	}
	_, err := hex.DecodeString(rest)
	return err == nil && len(rest) == 2*hashBytes
}

// hash of the content: ten hexadecimal digits. Lengths go along, so that no two contents read alike.
func (c Copy) hash() string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(c)) {
		for _, part := range [][]byte{[]byte(key), c[key]} {
			_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part)))) // a hash never fails
			_, _ = h.Write(part)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:hashBytes])
}

// MadeFor tells whether cert-manager made the Secret for the Certificate of that name. A Secret of anybody else would be
// overwritten by cert-manager and deleted by us; it is never adopted.
func MadeFor(secret *corev1.Secret, certificate string) bool {
	if owner := metav1.GetControllerOf(secret); owner != nil {
		return owner.Kind == cmv1.CertificateKind && owner.Name == certificate && strings.HasPrefix(owner.APIVersion, group+"/")
	}
	return secret.Annotations[cmv1.CertificateNameKey] == certificate
}
