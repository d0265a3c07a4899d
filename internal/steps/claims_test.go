package steps

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/drydock-db/drydock/ops"
)

// refusedClaim asks for a size, and the storage has refused another or the same one at that time.
func refusedClaim(asks, refused string, at time.Time) *corev1.PersistentVolumeClaim {
	size := func(s string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(s)}
	}
	return &corev1.PersistentVolumeClaim{
		Spec: corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{Requests: size(asks)}},
		Status: corev1.PersistentVolumeClaimStatus{
			Capacity: size("1Gi"), AllocatedResources: size(refused),
			AllocatedResourceStatuses: map[corev1.ResourceName]corev1.ClaimResourceStatus{
				corev1.ResourceStorage: corev1.PersistentVolumeClaimControllerResizeInfeasible,
			},
			Conditions: []corev1.PersistentVolumeClaimCondition{{
				Type: corev1.PersistentVolumeClaimControllerResizeError, Status: corev1.ConditionTrue,
				Message: "no room", LastTransitionTime: metav1.NewTime(at),
			}},
		},
	}
}

func TestClaimsAreRefusedByWhatTheStorageSaysOfThisAttempt(t *testing.T) {
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	inProgress := refusedClaim("5Gi", "5Gi", began)
	inProgress.Status.AllocatedResourceStatuses[corev1.ResourceStorage] = corev1.PersistentVolumeClaimControllerResizeInProgress
	silent := refusedClaim("5Gi", "5Gi", began)
	silent.Status.Conditions = nil
	byNode := func(at time.Duration) *corev1.PersistentVolumeClaim {
		claim := refusedClaim("5Gi", "5Gi", began.Add(at))
		claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] = corev1.PersistentVolumeClaimNodeResizeInfeasible
		claim.Status.Conditions[0].Type = corev1.PersistentVolumeClaimNodeResizeError
		return claim
	}
	const again = "refused before this operation, and the storage has not tried again: no room"
	for name, c := range map[string]struct {
		claim               *corev1.PersistentVolumeClaim
		infeasible, trouble string
		after               time.Duration
	}{
		"refused now":                        {refusedClaim("5Gi", "5Gi", began.Add(time.Second)), "no room", "", 0},
		"refused in the second of the start": {refusedClaim("5Gi", "5Gi", began), "no room", "", 0},
		"refused before":                     {refusedClaim("5Gi", "5Gi", began.Add(-time.Second)), "", again, time.Hour},
		"refused by the node":                {byNode(time.Second), "no room", "", 0},
		"refused by the node before":         {byNode(-time.Hour), "", again, nodeAnswers - time.Second},
		"refused by the node, and for good":  {byNode(-time.Hour), "no room", "", nodeAnswers},
		"refused another size":               {refusedClaim("5Gi", "9Gi", began), "", "no room", 0},
		"failed, and to be tried again":      {inProgress, "", "no room", 0},
		"refused without a word":             {silent, "it cannot grow to this size", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := viewClaim("data-px-0", c.claim, began, began.Add(c.after))
			if got.Infeasible != c.infeasible || got.Trouble != c.trouble {
				t.Errorf("infeasible %q, trouble %q", got.Infeasible, got.Trouble)
			}
		})
	}
}

// A stopped pod's claim whose file system grows with the pod's next start is done only for as long as the pod is down.
func TestAVolumeWhoseFileSystemIsStillToGrowIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*corev1.PersistentVolumeClaim)
		passing bool
	}{
		"its file system is still to grow": {func(c *corev1.PersistentVolumeClaim) {
			c.Status.Conditions = []corev1.PersistentVolumeClaimCondition{{
				Type: corev1.PersistentVolumeClaimFileSystemResizePending, Status: corev1.ConditionTrue,
			}}
		}, true},
		"it has grown": {func(c *corev1.PersistentVolumeClaim) {
			c.Status.Capacity[corev1.ResourceStorage] = resource.MustParse("2Gi")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			larger := claim(2, "1Gi")
			larger.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("2Gi")
			if err := w.client.Update(t.Context(), larger); err != nil {
				t.Fatal(err)
			}
			c.change(larger)
			if err := w.client.Status().Update(t.Context(), larger); err != nil {
				t.Fatal(err)
			}
			out := w.do(t, ops.ExpandVolumes{Group: "perconaxtradb", Pod: "px-2"})
			if !out.IsDone() || out.Passing != c.passing {
				t.Errorf("%+v", out)
			}
		})
	}
}
