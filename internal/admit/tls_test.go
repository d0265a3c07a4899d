package admit

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// A request is judged by the certificate that comes of it: what it does not set stays as the database has it.
func TestARenewalIsJudgedByTheMergedCertificate(t *testing.T) {
	certificate := func(duration, renewBefore time.Duration) kubedbv1.CertificateSpec {
		c := kubedbv1.CertificateSpec{Alias: "server"}
		if duration > 0 {
			c.Duration = &metav1.Duration{Duration: duration}
		}
		if renewBefore > 0 {
			c.RenewBefore = &metav1.Duration{Duration: renewBefore}
		}
		return c
	}
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		asked, merged kubedbv1.CertificateSpec
		want          string
	}{
		"a long renewal of a longer certificate": {certificate(0, 100*day), certificate(365*day, 100*day), ""},
		"a long renewal of a usual certificate":  {certificate(0, 100*day), certificate(0, 100*day), "renewBefore"},
		"a short life with a long renewal":       {certificate(7*day, 0), certificate(7*day, 30*day), "duration"},
		"a short life with both":                 {certificate(7*day, 30*day), certificate(7*day, 30*day), "renewBefore"},
		"another matter":                         {certificate(0, 0), certificate(7*day, 30*day), ""},
	} {
		errs := checkRenewal(field.NewPath("spec"), c.asked, becomes(c.asked, []kubedbv1.CertificateSpec{c.merged}))
		if (len(errs) > 0) != (c.want != "") || len(errs) > 0 && !strings.HasSuffix(errs[0].Field, c.want) {
			t.Errorf("%s: %v, not %q", name, errs, c.want)
		}
	}
}
