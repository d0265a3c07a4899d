//go:build lab && faults

package faults

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
)

// Authorities that every dock may use: cluster-wide, so that a dock costs none of its own.
const (
	firstAuthority  = "faults-first"
	secondAuthority = "faults-second"
	// authorities is the namespace with the Secrets of ClusterIssuers, as cert-manager of the lab is told.
	authorities = "cert-manager"
)

// found makes the authorities, if an earlier run has not.
func (h *harbour) found(ctx context.Context) error {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: authorities}},
		&cmv1.ClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: "faults-self"}, Spec: cmv1.IssuerSpec{
			IssuerConfig: cmv1.IssuerConfig{SelfSigned: &cmv1.SelfSignedIssuer{}},
		}},
	}
	for _, name := range []string{firstAuthority, secondAuthority} {
		objects = append(objects, &cmv1.Certificate{ObjectMeta: metav1.ObjectMeta{Namespace: authorities, Name: name}, Spec: cmv1.CertificateSpec{
			IsCA: true, CommonName: name, SecretName: name,
			IssuerRef:  cmmeta.IssuerReference{Kind: "ClusterIssuer", Name: "faults-self"},
			PrivateKey: &cmv1.CertificatePrivateKey{Algorithm: cmv1.ECDSAKeyAlgorithm, Size: 256},
		}}, &cmv1.ClusterIssuer{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: cmv1.IssuerSpec{
			IssuerConfig: cmv1.IssuerConfig{CA: &cmv1.CAIssuer{SecretName: name}},
		}})
	}
	for _, o := range objects {
		if err := client.IgnoreAlreadyExists(h.lab.Client.Create(ctx, o)); err != nil {
			return fmt.Errorf("making %s: %w", o.GetName(), err)
		}
	}
	return nil
}

// securing asks for a change of certificates.
func securing(change opsv1.TLSSpec) func(sample, variables, any) {
	return func(_ sample, _ variables, request any) {
		switch r := request.(type) {
		case *opsv1.PerconaXtraDBOpsRequest:
			r.Spec.TLS = &opsv1.PerconaXtraDBTLSSpec{TLSSpec: *change.DeepCopy()}
		case *opsv1.SinglestoreOpsRequest:
			r.Spec.TLS = change.DeepCopy()
		}
	}
}

// requiring asks that clients need TLS, or need it no more.
func requiring(tls bool) func(sample, variables, any) {
	return func(_ sample, _ variables, request any) {
		r := request.(*opsv1.PerconaXtraDBOpsRequest)
		if r.Spec.TLS == nil {
			r.Spec.TLS = &opsv1.PerconaXtraDBTLSSpec{}
		}
		r.Spec.TLS.RequireSSL = &tls
	}
}

// managed asks for an authority of the database's own, as only an edit does.
func managed(db engines.Database) {
	switch d := db.(type) {
	case *kubedbv1.PerconaXtraDB:
		d.Spec.TLS = &kubedbv1.TLSConfig{}
	case *kubedbv1alpha2.Singlestore:
		d.Spec.TLS = &kubedbv1.TLSConfig{}
	}
}

// by is a change of the issuer.
func by(authority string) opsv1.TLSSpec {
	return opsv1.TLSSpec{TLSConfig: kubedbv1.TLSConfig{IssuerRef: &corev1.TypedLocalObjectReference{
		APIGroup: new("cert-manager.io"), Kind: "ClusterIssuer", Name: authority,
	}}}
}

// certificate writes a Certificate down: what it asks for, whether it was issued since the start, and how often the operator
// asked for that. On a busy machine cert-manager now and then issues one twice that was asked for once: a controller of its
// that is behind finds the key of the issuance gone, makes it again, and another requests a certificate for it.
func (r reading) certificate(c *cmv1.Certificate, content map[string]any) {
	status := map[string]any{"issued": r.before.issued(c) > 0}
	if r.asked != nil {
		status["asked"] = int64(r.asked[c.Name])
	}
	for _, condition := range c.Status.Conditions {
		status[string(condition.Type)] = string(condition.Status)
	}
	if status["Issuing"] == "False" { // cert-manager may leave it there or take it away
		delete(status, "Issuing")
	}
	content["status"] = status
}

// issued is how often a Certificate was issued since that scene.
func (s *scene) issued(c *cmv1.Certificate) int {
	issued := 0
	if c.Status.Revision != nil {
		issued = *c.Status.Revision
	}
	if s != nil {
		for _, old := range s.certificates {
			if old.UID == c.UID && old.Status.Revision != nil {
				issued -= *old.Status.Revision
			}
		}
	}
	return issued
}

// issuedTwice tells whether cert-manager has issued a certificate more often in this run than there is a reason for: once, and once
// more on the way back.
func (r *run) issuedTwice() bool {
	most := 1
	if r.scenario.fails && r.scenario.from.hasTLS() {
		most = 2
	}
	for i := range r.after.certificates {
		if r.before.issued(&r.after.certificates[i]) > most {
			return true
		}
	}
	return false
}

// copied writes down one file of a copy of certificates: who signed it, and whether it was there at the start. Of the
// authorities only who they are: where one was trusted still from an operation before, the same file may do again.
func (r reading) copied(s *corev1.Secret, key string) string {
	if key == "ca.crt" {
		return fmt.Sprintf("%s %v", key, signers(s.Data[key]))
	}
	was := "new"
	if r.before != nil {
		for _, old := range r.before.secrets {
			for _, value := range old.Data {
				if string(value) == string(s.Data[key]) {
					was = "old"
				}
			}
		}
	}
	if strings.HasSuffix(key, ".key") {
		return key + " " + was
	}
	return fmt.Sprintf("%s %s %v", key, was, signers(s.Data[key]))
}

// signers of the certificates in a file, without repetition, in order.
func signers(data []byte) []string {
	var names []string
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return []string{err.Error()}
		}
		names = append(names, c.Issuer.CommonName)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
