package framework

import (
	"context"
	"fmt"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// issuing is how long cert-manager may take to issue authorities.
const issuing = 2 * time.Minute

// settled is how often in a row an authority has to be found issued.
const settled = 5

// Authority is a Certificate that signs others. Issuer self of the same namespace signs it.
func (s *Space) Authority(name string) *cmv1.Certificate {
	return &cmv1.Certificate{ObjectMeta: s.named("authority-" + name), Spec: cmv1.CertificateSpec{
		IsCA: true, CommonName: s.Name + "-" + name, SecretName: "authority-" + name,
		IssuerRef:  cmmeta.IssuerReference{Name: "self", Kind: "Issuer"},
		PrivateKey: &cmv1.CertificatePrivateKey{Algorithm: cmv1.ECDSAKeyAlgorithm, Size: 256},
	}}
}

// Issuer signs by the authority in that Secret.
func (s *Space) Issuer(name, secret string) *cmv1.Issuer {
	config := cmv1.IssuerConfig{CA: &cmv1.CAIssuer{SecretName: secret}}
	return &cmv1.Issuer{ObjectMeta: s.named(name), Spec: cmv1.IssuerSpec{IssuerConfig: config}}
}

func (s *Space) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.Name, Name: name}
}

// Issuers makes an authority of each name and an Issuer for it, of the same name, and returns when all authorities are
// issued for good. A cert-manager that is behind sometimes issues one a second time at once, with another key; what the
// first had signed would be of another authority then.
func (s *Space) Issuers(ctx context.Context, names ...string) error {
	config := cmv1.IssuerConfig{SelfSigned: &cmv1.SelfSignedIssuer{}}
	objects := []client.Object{&cmv1.Issuer{ObjectMeta: s.named("self"), Spec: cmv1.IssuerSpec{IssuerConfig: config}}}
	for _, name := range names {
		objects = append(objects, s.Authority(name), s.Issuer(name, "authority-"+name))
	}
	for _, o := range objects {
		if err := s.Client.Create(ctx, o); err != nil {
			return fmt.Errorf("making %T %s: %w", o, o.GetName(), err)
		}
	}
	inARow := 0
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, issuing, true, func(ctx context.Context) (bool, error) {
		issued, err := s.issued(ctx, names)
		if inARow++; !issued {
			inARow = 0
		}
		return inARow >= settled, err
	})
	if err != nil {
		return fmt.Errorf("cert-manager does not issue the authorities of %s: %w", s.Name, err)
	}
	return nil
}

// issued tells whether all authorities are there and none is being issued.
func (s *Space) issued(ctx context.Context, names []string) (bool, error) {
	for _, name := range names {
		if is, err := s.Issued(ctx, "authority-"+name); err != nil || !is {
			return false, err
		}
	}
	return true, nil
}

// Issued tells whether a Certificate is Ready and not being issued anew.
func (s *Space) Issued(ctx context.Context, certificate string) (bool, error) {
	var c cmv1.Certificate
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: certificate}, &c); err != nil {
		return false, err
	}
	return Issued(&c), nil
}

// Issued tells whether a Certificate is Ready and not being issued anew.
func Issued(c *cmv1.Certificate) bool {
	ready := false
	for _, condition := range c.Status.Conditions {
		holds := condition.Status == cmmeta.ConditionTrue
		if condition.Type == cmv1.CertificateConditionIssuing && holds {
			return false
		}
		ready = ready || condition.Type == cmv1.CertificateConditionReady && holds
	}
	return ready
}
