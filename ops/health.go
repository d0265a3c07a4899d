package ops

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
)

// GroupHealth is what is known of the pods of one group.
type GroupHealth struct {
	Workload    string
	Want, Ready int32
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
	replicas := Observation{kubedbv1.ConditionReplicaReady, metav1.ConditionTrue, kubedbv1.ReasonAllReplicasReady, "all replicas are ready"}
	if len(missing) > 0 {
		replicas.Status, replicas.Reason, replicas.Message = metav1.ConditionFalse, kubedbv1.ReasonSomeReplicasNotReady, strings.Join(missing, "; ")
	}
	accepting := Observation{kubedbv1.ConditionAcceptingConnection, metav1.ConditionTrue, kubedbv1.ReasonAcceptingConnection,
		"every group has a pod that takes connections"}
	if len(down) > 0 {
		accepting.Status, accepting.Reason = metav1.ConditionFalse, kubedbv1.ReasonNotAcceptingConnection
		accepting.Message = "no pod of " + strings.Join(down, ", ") + " is ready"
	}
	ready := Observation{kubedbv1.ConditionReady, metav1.ConditionTrue, kubedbv1.ReasonReadinessSucceeded, "the database is ready"}
	if len(missing) > 0 {
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, kubedbv1.ReasonReadinessFailed, replicas.Message
	}
	return []Observation{replicas, accepting, ready}
}

// sign is a condition with a status.
type sign struct {
	condition string
	status    metav1.ConditionStatus
}

// phaseRules are read from the top, first match wins. Paused and Provisioned alone change nothing, so that a paused
// database still reads Ready.
var phaseRules = []struct {
	phase kubedbv1.DatabasePhase
	needs []sign
}{
	{kubedbv1.PhaseUnknown, []sign{{kubedbv1.ConditionHealthCheckPaused, metav1.ConditionTrue}}},
	{kubedbv1.PhaseHalted, []sign{{kubedbv1.ConditionHalted, metav1.ConditionTrue}}},
	{kubedbv1.PhaseNotReady, []sign{{kubedbv1.ConditionDataRestored, metav1.ConditionFalse}}},
	{kubedbv1.PhaseDataRestoring, []sign{{kubedbv1.ConditionDataRestoreStarted, metav1.ConditionTrue}, {kubedbv1.ConditionDataRestored, absent}}},
	{kubedbv1.PhaseNotReady, []sign{provisioned, {kubedbv1.ConditionAcceptingConnection, metav1.ConditionFalse}}},
	{kubedbv1.PhaseCritical, []sign{provisioned, {kubedbv1.ConditionReplicaReady, metav1.ConditionFalse}}},
	{kubedbv1.PhaseCritical, []sign{provisioned, {kubedbv1.ConditionReady, metav1.ConditionFalse}}},
	{kubedbv1.PhaseReady, []sign{provisioned, {kubedbv1.ConditionReady, metav1.ConditionTrue}}},
	{kubedbv1.PhaseProvisioning, []sign{{kubedbv1.ConditionProvisioningStarted, metav1.ConditionTrue}}},
}

// absent is the status of a condition that is not there.
const absent metav1.ConditionStatus = ""

var provisioned = sign{kubedbv1.ConditionProvisioned, metav1.ConditionTrue}

// DatabasePhase is the word that the conditions amount to; empty before there are any.
func DatabasePhase(conditions []metav1.Condition) kubedbv1.DatabasePhase {
	for _, rule := range phaseRules {
		if !slices.ContainsFunc(rule.needs, func(n sign) bool { return statusOf(conditions, n.condition) != n.status }) {
			return rule.phase
		}
	}
	return ""
}

func statusOf(conditions []metav1.Condition, kind string) metav1.ConditionStatus {
	if c := meta.FindStatusCondition(conditions, kind); c != nil {
		return c.Status
	}
	return absent
}
