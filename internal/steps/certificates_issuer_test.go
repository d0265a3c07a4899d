package steps

import (
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/certs/certstest"
)

func newAuthority(name string) certstest.Authority {
	return certstest.NewAuthority(name, noon, 1000*time.Hour)
}

// eachCertificate lets the stand-in for cert-manager change the status of every Certificate.
func (w *tlsWorld) eachCertificate(change func(c *cmv1.Certificate)) {
	w.Helper()
	before := [2]int{w.triggers, w.writes}
	for _, alias := range aliases {
		var c cmv1.Certificate
		if !w.get(certs.Name("px", alias), &c) {
			w.Fatalf("there is no certificate %s", alias)
		}
		if c.UID == "" {
			w.Fatalf("the fake API server gives no UID")
		}
		change(&c)
		if err := w.client.Status().Update(w.Context(), &c); err != nil {
			w.Fatal(err)
		}
	}
	w.triggers, w.writes = before[0], before[1]
}

// issues plays a successful issuance of every certificate.
func (w *tlsWorld) issues(a certstest.Authority) {
	w.Helper()
	w.eachCertificate(func(c *cmv1.Certificate) {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: c.Spec.SecretName, Annotations: map[string]string{cmv1.CertificateNameKey: c.Name},
		}}
		_ = w.client.Delete(w.Context(), secret, client.Preconditions{UID: new(c.UID)}) // there may be none yet
		secret.ResourceVersion, secret.Data = "", a.Issue(noon, 100*time.Hour)
		if err := w.client.Create(w.Context(), secret); err != nil {
			w.Fatal(err)
		}
		revision := 1
		if c.Status.Revision != nil {
			revision += *c.Status.Revision
		}
		c.Status.Revision, c.Status.FailedIssuanceAttempts, c.Status.LastFailureTime = &revision, nil, nil
		c.Status.Conditions = []cmv1.CertificateCondition{{
			Type: cmv1.CertificateConditionReady, Status: cmmeta.ConditionTrue, ObservedGeneration: c.Generation,
		}}
	})
}

// fails plays a failed issuance of every certificate.
func (w *tlsWorld) fails(message string) {
	w.Helper()
	w.eachCertificate(func(c *cmv1.Certificate) {
		attempts := 1
		if c.Status.FailedIssuanceAttempts != nil {
			attempts += *c.Status.FailedIssuanceAttempts
		}
		c.Status.FailedIssuanceAttempts, c.Status.LastFailureTime = &attempts, new(metav1.NewTime(noon))
		for i := range c.Status.Conditions {
			if c.Status.Conditions[i].Type == cmv1.CertificateConditionIssuing {
				c.Status.Conditions[i].Status, c.Status.Conditions[i].Message = cmmeta.ConditionFalse, message
				return
			}
		}
		c.Status.Conditions = append(c.Status.Conditions, cmv1.CertificateCondition{
			Type: cmv1.CertificateConditionIssuing, Status: cmmeta.ConditionFalse, Message: message,
		})
	})
}
