package steps

import (
	"testing"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/certs"
)

// A managed authority that cert-manager has given up is asked for again, later each time, and not for ever; one that is under way,
// ready or the user's own is left alone.
func TestAManagedAuthorityThatWasGivenUp(t *testing.T) {
	failed := func(attempts int, ago time.Duration, conditions ...cmv1.CertificateCondition) cmv1.CertificateStatus {
		return cmv1.CertificateStatus{FailedIssuanceAttempts: &attempts, LastFailureTime: &metav1.Time{Time: noon.Add(-ago)}, Conditions: conditions}
	}
	is := func(kind cmv1.CertificateConditionType) cmv1.CertificateCondition {
		return cmv1.CertificateCondition{Type: kind, Status: cmmeta.ConditionTrue, LastTransitionTime: &metav1.Time{Time: noon}}
	}
	for name, c := range map[string]struct {
		status cmv1.CertificateStatus
		asked  int
		after  time.Duration
	}{
		"new":                        {cmv1.CertificateStatus{}, 0, 0},
		"failed a moment ago":        {failed(1, time.Second), 0, time.Second},
		"failed a while ago":         {failed(1, 2*time.Second), 1, 0},
		"failed for the fourth time": {failed(4, 2*time.Second), 0, 14 * time.Second},
		"failed again and again":     {failed(7, time.Hour), 0, 0},
		"is being issued":            {failed(1, time.Minute, is(cmv1.CertificateConditionIssuing)), 0, 0},
		"has been issued after all":  {failed(1, time.Minute, is(cmv1.CertificateConditionReady)), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTLSWorld(t, "", "")
			db := database()
			w.target.Engine.Default(db)
			db.Spec.TLS = &kubedbv1.TLSConfig{}
			objects := CertificateObjects(w.target.Engine, db)
			if _, err := w.executor.ApplyCertificates(t.Context(), db, objects, func() error { return nil }); err != nil {
				t.Fatal(err)
			}
			var authority cmv1.Certificate
			w.get("px-ca", &authority)
			authority.Status = c.status
			for i := range authority.Status.Conditions {
				authority.Status.Conditions[i].ObservedGeneration = authority.Generation
			}
			if err := w.client.Status().Update(t.Context(), &authority); err != nil {
				t.Fatal(err)
			}
			after, err := w.executor.ReviveAuthority(t.Context(), db, objects)
			if err != nil || after != c.after || w.triggers != c.asked {
				t.Errorf("asked %d times, looks again after %s: %v; want %d, %s", w.triggers, after, err, c.asked, c.after)
			}
			if w.get("px-ca", &authority); c.asked > 0 && certs.Issuing(&authority) == nil {
				t.Errorf("nothing is being issued: %+v", authority.Status)
			}
			objects.Authority = nil
			if after, err := w.executor.ReviveAuthority(t.Context(), db, objects); err != nil || after != 0 || w.triggers != c.asked {
				t.Errorf("an authority of the user's: asked %d times, looks again after %s: %v", w.triggers, after, err)
			}
		})
	}
}
