package ops

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// GroupHealth is what is known of the pods of one group.
type GroupHealth struct {
	Workload     string
	Want, Ready  int32
	NotReadyPods []string
}

// Observation is one condition that health finds.
type Observation struct {
	Type            string
	Status          metav1.ConditionStatus
	Reason, Message string
}

// Health returns what the groups say of a database: whether all replicas are ready, and whether every group has one
// that takes connections.
func Health(groups []GroupHealth) []Observation {
	var missing, down []string
	for _, g := range groups {
		if g.Ready < g.Want {
			missing = append(missing, fmt.Sprintf("%s has %d of %d pods ready", g.Workload, g.Ready, g.Want))
		}
		if g.Ready == 0 && g.Want > 0 {
			down = append(down, g.Workload)
		}
	}
	replicas := Observation{kubedbv1.ConditionReplicaReady, metav1.ConditionTrue, "AllReplicasReady", "all replicas are ready"}
	if len(missing) > 0 {
		replicas.Status, replicas.Reason, replicas.Message = metav1.ConditionFalse, "SomeReplicasNotReady", strings.Join(missing, "; ")
	}
	accepting := Observation{kubedbv1.ConditionAcceptingConnection, metav1.ConditionTrue, "DatabaseAcceptingConnectionRequest",
		"every group has a pod that takes connections"}
	if len(down) > 0 {
		accepting.Status, accepting.Reason = metav1.ConditionFalse, "DatabaseNotAcceptingConnectionRequest"
		accepting.Message = "no pod of " + strings.Join(down, ", ") + " is ready"
	}
	ready := Observation{kubedbv1.ConditionReady, metav1.ConditionTrue, "ReadinessCheckSucceeded", "the database is ready"}
	if len(missing) > 0 {
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, "ReadinessCheckFailed", replicas.Message
	}
	return []Observation{replicas, accepting, ready}
}

// DatabasePhase is the word that the conditions amount to. First match wins; Paused and Provisioned alone change
// nothing, so that a paused database still reads Ready.
func DatabasePhase(c []metav1.Condition) kubedbv1.DatabasePhase {
	is := func(kind string, s metav1.ConditionStatus) bool {
		return meta.IsStatusConditionPresentAndEqual(c, kind, s)
	}
	provisioned := is(kubedbv1.ConditionProvisioned, metav1.ConditionTrue)
	switch {
	case is(kubedbv1.ConditionHealthCheckPaused, metav1.ConditionTrue):
		return kubedbv1.PhaseUnknown
	case is(kubedbv1.ConditionHalted, metav1.ConditionTrue):
		return kubedbv1.PhaseHalted
	case is(kubedbv1.ConditionDataRestored, metav1.ConditionFalse):
		return kubedbv1.PhaseNotReady
	case is(kubedbv1.ConditionDataRestoreStarted, metav1.ConditionTrue) && !is(kubedbv1.ConditionDataRestored, metav1.ConditionTrue):
		return kubedbv1.PhaseDataRestoring
	case provisioned && is(kubedbv1.ConditionAcceptingConnection, metav1.ConditionFalse):
		return kubedbv1.PhaseNotReady
	case provisioned && (is(kubedbv1.ConditionReplicaReady, metav1.ConditionFalse) || is(kubedbv1.ConditionReady, metav1.ConditionFalse)):
		return kubedbv1.PhaseCritical
	case provisioned && is(kubedbv1.ConditionReady, metav1.ConditionTrue):
		return kubedbv1.PhaseReady
	case is(kubedbv1.ConditionProvisioningStarted, metav1.ConditionTrue):
		return kubedbv1.PhaseProvisioning
	}
	return ""
}
