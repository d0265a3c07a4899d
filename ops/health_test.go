package ops

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

func TestDatabasePhase(t *testing.T) {
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse
	type set map[string]metav1.ConditionStatus
	for name, c := range map[string]struct {
		conditions set
		want       kubedbv1.DatabasePhase
	}{
		"nothing said yet":                 {set{}, ""},
		"started":                          {set{kubedbv1.ConditionProvisioningStarted: yes, kubedbv1.ConditionReady: no}, kubedbv1.PhaseProvisioning},
		"ready for the first time":         {set{kubedbv1.ConditionProvisioningStarted: yes, kubedbv1.ConditionReady: yes}, kubedbv1.PhaseProvisioning},
		"ready and provisioned":            {set{kubedbv1.ConditionProvisioned: yes, kubedbv1.ConditionReady: yes}, kubedbv1.PhaseReady},
		"ready and paused":                 {set{kubedbv1.ConditionProvisioned: yes, kubedbv1.ConditionReady: yes, kubedbv1.ConditionPaused: yes}, kubedbv1.PhaseReady},
		"one replica down":                 {set{kubedbv1.ConditionProvisioned: yes, kubedbv1.ConditionReplicaReady: no, kubedbv1.ConditionReady: no}, kubedbv1.PhaseCritical},
		"not ready although replicas are":  {set{kubedbv1.ConditionProvisioned: yes, kubedbv1.ConditionReplicaReady: yes, kubedbv1.ConditionReady: no}, kubedbv1.PhaseCritical},
		"no connections":                   {set{kubedbv1.ConditionProvisioned: yes, kubedbv1.ConditionAcceptingConnection: no, kubedbv1.ConditionReplicaReady: no}, kubedbv1.PhaseNotReady},
		"halted wins over what it implies": {set{kubedbv1.ConditionProvisioned: yes, kubedbv1.ConditionAcceptingConnection: no, kubedbv1.ConditionHalted: yes}, kubedbv1.PhaseHalted},
		"restoring":                        {set{kubedbv1.ConditionProvisioningStarted: yes, kubedbv1.ConditionDataRestoreStarted: yes}, kubedbv1.PhaseDataRestoring},
		"restore failed":                   {set{kubedbv1.ConditionDataRestoreStarted: yes, kubedbv1.ConditionDataRestored: no}, kubedbv1.PhaseNotReady},
		"restored":                         {set{kubedbv1.ConditionDataRestoreStarted: yes, kubedbv1.ConditionDataRestored: yes, kubedbv1.ConditionProvisioned: yes, kubedbv1.ConditionReady: yes}, kubedbv1.PhaseReady},
		"health check paused":              {set{kubedbv1.ConditionHealthCheckPaused: yes, kubedbv1.ConditionProvisioned: yes, kubedbv1.ConditionReady: yes}, kubedbv1.PhaseUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			var conditions []metav1.Condition
			for kind, status := range c.conditions {
				conditions = append(conditions, metav1.Condition{Type: kind, Status: status})
			}
			if got := DatabasePhase(conditions); got != c.want {
				t.Errorf("phase %q, want %q", got, c.want)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	for name, c := range map[string]struct {
		groups                     []GroupHealth
		replicas, accepting, ready metav1.ConditionStatus
	}{
		"all ready":       {[]GroupHealth{{Workload: "a", Want: 2, Ready: 2}, {Workload: "l", Want: 2, Ready: 2}}, "True", "True", "True"},
		"one pod missing": {[]GroupHealth{{Workload: "a", Want: 2, Ready: 1}, {Workload: "l", Want: 2, Ready: 2}}, "False", "True", "False"},
		"a group is down": {[]GroupHealth{{Workload: "a", Want: 2, Ready: 2}, {Workload: "l", Want: 2, Ready: 0}}, "False", "False", "False"},
		"nothing wanted":  {[]GroupHealth{{Workload: "a"}}, "True", "True", "True"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Health(c.groups)
			for i, want := range []metav1.ConditionStatus{c.replicas, c.accepting, c.ready} {
				if got[i].Status != want {
					t.Errorf("%s is %s, want %s (%s)", got[i].Type, got[i].Status, want, got[i].Message)
				}
			}
		})
	}
}
