package engines

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/ops"
)

// conditionPause is the type of the first step of every operation: once it is more than Unknown, the request holds its
// database or has held it.
const conditionPause = "PauseDatabase"

// DefaultRetries is how often a failed step is tried again when the request does not say.
const DefaultRetries int32 = 1

// LowerCommon is the part of a request that every kind has, as plain values. Whether it has started and whether it has
// finished is read from its conditions; the phase is only made from them.
func LowerCommon(r OpsRequest, kind string) ops.Request {
	s, conditions := r.RequestSpec(), r.RequestStatus().Conditions
	request := ops.Request{
		Kind: kind, Namespace: r.GetNamespace(), Name: r.GetName(), UID: r.GetUID(),
		Database:   s.DatabaseRef.Name,
		Type:       s.Type,
		Apply:      s.Apply,
		MaxRetries: ptr.Deref(s.MaxRetries, DefaultRetries),
		Created:    r.GetCreationTimestamp().Time,
		Deleting:   r.GetDeletionTimestamp() != nil,
		Finished: meta.IsStatusConditionTrue(conditions, opsv1.ConditionSuccessful) ||
			meta.IsStatusConditionTrue(conditions, opsv1.ConditionFailed),
	}
	if request.Apply == "" {
		request.Apply = opsv1.ApplyIfReady
	}
	if s.Timeout != nil {
		request.Timeout = s.Timeout.Duration
	}
	if pause := meta.FindStatusCondition(conditions, conditionPause); pause != nil {
		request.Started = pause.Status == metav1.ConditionTrue || pause.Status == metav1.ConditionFalse
	}
	return request
}

// LowerTLS is the change of TLS that a section asks for.
func LowerTLS(s *opsv1.TLSSpec, requireSSL *bool) *ops.TLSChange {
	change := &ops.TLSChange{TLSConfig: *s.TLSConfig.DeepCopy(), Rotate: s.RotateCertificates, Remove: s.Remove}
	if requireSSL != nil {
		change.RequireSSL = new(*requireSSL)
	}
	return change
}

// ByGroup keeps the parts of a section that are given, by group name.
func ByGroup[T any, P interface {
	*T
	DeepCopyInto(into P)
}](parts map[string]P) map[string]T {
	out := map[string]T{}
	for name, part := range parts {
		if part != nil {
			var copied T
			part.DeepCopyInto(&copied)
			out[name] = copied
		}
	}
	return out
}
