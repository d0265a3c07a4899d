package framework

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// Database is a database of any kind.
type Database interface {
	client.Object
	DatabaseStatus() *kubedbv1.DatabaseStatus
}

// Request is an OpsRequest of any kind.
type Request interface {
	client.Object
	RequestSpec() *opsv1.OpsRequestSpec
	RequestStatus() *opsv1.OpsRequestStatus
}

// Condition returns the condition of that type, or a zero one.
func Condition(conditions []metav1.Condition, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// Finished tells whether a request has ended, by its conditions.
func Finished(r Request) bool {
	c := r.RequestStatus().Conditions
	return meta.IsStatusConditionTrue(c, opsv1.ConditionSuccessful) || meta.IsStatusConditionTrue(c, opsv1.ConditionFailed)
}

// Begun tells whether a request has touched its database: its pause is under way or done.
func Begun(r Request) bool {
	s := Condition(r.RequestStatus().Conditions, "PauseDatabase").Status
	return s == metav1.ConditionTrue || s == metav1.ConditionFalse
}

// HeldByOperation tells whether an operation pauses the database, and the pause's message, which names the request.
func HeldByOperation(db Database) (message string, held bool) {
	c := Condition(db.DatabaseStatus().Conditions, kubedbv1.ConditionPaused)
	return c.Message, c.Status == metav1.ConditionTrue && c.Reason == kubedbv1.ReasonOperationInProgress
}

// HeldBy tells whether that request pauses the database.
func HeldBy(db Database, request types.UID) bool {
	message, held := HeldByOperation(db)
	return held && strings.Contains(message, string(request))
}

// WorkloadOf is the name of the workload that a pod or a claim belongs to: its own without the ordinal.
func WorkloadOf(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		return name[:i]
	}
	return ""
}
