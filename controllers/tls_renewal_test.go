package controllers

import (
	"slices"
	"testing"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
)

// Workloads may be behind by different certificates; each is told once, and always in the same order, since a condition that
// changes its words is written again.
func TestWorkloadsThatMountOlderVersionsOfDifferentCertificates(t *testing.T) {
	leaf := func(alias string, revision int) certs.Leaf {
		return certs.Leaf{Alias: alias, Certificate: &cmv1.Certificate{
			ObjectMeta: metav1.ObjectMeta{UID: types.UID(alias)}, Status: cmv1.CertificateStatus{Revision: &revision},
		}}
	}
	workload := func(client, server int) *appsv1.StatefulSet {
		mounted := certs.MountedFrom([]certs.Leaf{leaf("client", client), leaf("server", server)}, false).String()
		return &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{opsv1.AnnotationCertificates: mounted}}}
	}
	live := mounting{workloads: map[string]*appsv1.StatefulSet{"aggregator": workload(2, 1), "leaf": workload(1, 1), "third": workload(1, 2)}}
	for range 20 {
		if got := renewedIn("sdb", live, []certs.Leaf{leaf("client", 2), leaf("server", 2)}); !slices.Equal(got, []string{"client", "server"}) {
			t.Fatalf("%v", got)
		}
	}
}

// What a person has canceled, or the pods have refused, is not repeated by the operator.
func TestARestartForRenewalThatSomebodyDeclined(t *testing.T) {
	issued := time.Unix(1e9, 0)
	leaves := []certs.Leaf{{Alias: "server", Certificate: &cmv1.Certificate{
		Status: cmv1.CertificateStatus{NotBefore: &metav1.Time{Time: issued}},
	}}}
	last := func(kind opsv1.OpsType, outcome kubedbv1.OperationOutcome, after time.Duration) *kubedbv1.LastOperation {
		return &kubedbv1.LastOperation{Type: string(kind), Outcome: outcome, FinishedAt: metav1.NewTime(issued.Add(after))}
	}
	for name, c := range map[string]struct {
		last *kubedbv1.LastOperation
		want bool
	}{
		"there was no operation":              {nil, false},
		"a rotation was undone":               {last(opsv1.ReconfigureTLS, kubedbv1.OutcomeFailed, time.Minute), true},
		"a restart was undone":                {last(opsv1.Restart, kubedbv1.OutcomeFailed, time.Minute), true},
		"that was before they were issued":    {last(opsv1.ReconfigureTLS, kubedbv1.OutcomeFailed, -time.Minute), false},
		"it did not fail":                     {last(opsv1.ReconfigureTLS, kubedbv1.OutcomeSuccessful, time.Minute), false},
		"it had nothing to do with the pods'": {last(opsv1.VolumeExpansion, kubedbv1.OutcomeFailed, time.Minute), false},
	} {
		if got := declined(c.last, leaves); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatAWorkloadMountsOlderVersionsOf(t *testing.T) {
	revision := 2
	leaves := []certs.Leaf{{Alias: "server", Certificate: &cmv1.Certificate{
		ObjectMeta: metav1.ObjectMeta{UID: "one"}, Status: cmv1.CertificateStatus{Revision: &revision},
	}}}
	workload := func(copied, annotation string) *appsv1.StatefulSet {
		set := &appsv1.StatefulSet{}
		if annotation != "" {
			set.Annotations = map[string]string{opsv1.AnnotationCertificates: annotation}
		}
		if copied != "" {
			set.Spec.Template.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: copied},
			}}}
		}
		return set
	}
	latest := certs.MountedFrom(leaves, false).String()
	for name, c := range map[string]struct {
		set  *appsv1.StatefulSet
		want []string
	}{
		"the latest":                            {workload("px-tls-0123456789", latest), nil},
		"a copy of which it does not say what":  {workload("px-tls-0123456789", ""), []string{"server"}},
		"no certificates":                       {workload("", ""), nil},
		"a Secret of the user's with that name": {workload("px-tls-bundle", ""), nil},
	} {
		if got := renewedIn("px", mounting{workloads: map[string]*appsv1.StatefulSet{"px": c.set}}, leaves); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
}
