package steps

import (
	"errors"
	"strings"
	"testing"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/certs/certstest"
)

// A certificate that nobody renews is taken as it is, expired too, so that it holds up no other. Not while it is just being issued:
// then its status tells of another one than its Secret has.
func TestACertificateThatIsOverdue(t *testing.T) {
	issued := noon.Add(-2 * time.Hour)
	data := certstest.NewAuthority("ca", issued, 100*time.Hour).Issue(issued, time.Hour)
	chain, err := certs.Parse(data[corev1.TLSCertKey])
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		due, end time.Duration
		want     string
	}{
		"for half an hour":          {-30 * time.Minute, 0, ""},
		"and is just being issued":  {-30 * time.Minute, time.Hour, "is being issued"},
		"for a moment, and expired": {-time.Minute, 0, "has expired"},
	} {
		certificate := &cmv1.Certificate{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px-server-cert"}, Spec: cmv1.CertificateSpec{SecretName: "px-server-cert"}}
		certificate.Status = cmv1.CertificateStatus{
			NotBefore: new(metav1.NewTime(chain[0].NotBefore)), NotAfter: new(metav1.NewTime(chain[0].NotAfter.Add(c.end))),
			RenewalTime: new(metav1.NewTime(noon.Add(c.due))),
			Conditions:  []cmv1.CertificateCondition{{Type: cmv1.CertificateConditionReady, Status: cmmeta.ConditionFalse}},
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px-server-cert", Annotations: map[string]string{
			cmv1.CertificateNameKey: "px-server-cert",
		}}, Data: data}
		w := newTLSWorld(t, "", spec("ca"), secret)
		pairs, err := w.executor.pairs(t.Context(), []certs.Leaf{{Alias: "server", Certificate: certificate}}, noon)
		var problem *CertificateError
		switch {
		case c.want == "" && (err != nil || len(pairs) != 1):
			t.Errorf("%s: %v, %d pairs", name, err, len(pairs))
		case c.want != "" && (!errors.As(err, &problem) || !strings.Contains(problem.Message, c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
