package admit

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// A quota counts the claims in its scopes, and claims know one kind of scope.
func TestCounts(t *testing.T) {
	plain := &corev1.PersistentVolumeClaim{}
	gold := &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{VolumeAttributesClassName: new("gold")}}
	moving := &corev1.PersistentVolumeClaim{Status: corev1.PersistentVolumeClaimStatus{
		CurrentVolumeAttributesClassName: new("silver"), ModifyVolumeStatus: &corev1.ModifyVolumeStatus{TargetVolumeAttributesClassName: "gold"},
	}}
	by := func(operator corev1.ScopeSelectorOperator, values ...string) corev1.ResourceQuotaSpec {
		return corev1.ResourceQuotaSpec{ScopeSelector: &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
			{ScopeName: corev1.ResourceQuotaScopeVolumeAttributesClass, Operator: operator, Values: values},
		}}}
	}
	for name, c := range map[string]struct {
		spec                corev1.ResourceQuotaSpec
		plain, gold, moving bool
	}{
		"no scope":           {corev1.ResourceQuotaSpec{}, true, true, true},
		"a scope of pods":    {corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopeBestEffort}}, false, false, false},
		"any class":          {corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopeVolumeAttributesClass}}, false, true, true},
		"with a class":       {by(corev1.ScopeSelectorOpExists), false, true, true},
		"without a class":    {by(corev1.ScopeSelectorOpDoesNotExist), true, false, false},
		"gold or platinum":   {by(corev1.ScopeSelectorOpIn, "gold", "platinum"), false, true, true},
		"anything else":      {by(corev1.ScopeSelectorOpNotIn, "gold"), true, false, true},
		"silver, not bronze": {corev1.ResourceQuotaSpec{ScopeSelector: &corev1.ScopeSelector{MatchExpressions: append(by(corev1.ScopeSelectorOpIn, "silver").ScopeSelector.MatchExpressions, by(corev1.ScopeSelectorOpNotIn, "bronze").ScopeSelector.MatchExpressions...)}}, false, false, true},
	} {
		quota := &corev1.ResourceQuota{Spec: c.spec}
		for claim, want := range map[*corev1.PersistentVolumeClaim]bool{plain: c.plain, gold: c.gold, moving: c.moving} {
			if got := counts(quota, claim); got != want {
				t.Errorf("%s: %t for classes %v, want %t", name, got, attributeClasses(claim), want)
			}
		}
	}
}

// What was promised to a claim by an expansion that failed counts still.
func TestCharged(t *testing.T) {
	claim := &corev1.PersistentVolumeClaim{}
	claim.Status.AllocatedResources = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")}
	for size, want := range map[string]string{"5Gi": "10Gi", "10Gi": "10Gi", "11Gi": "11Gi"} {
		if got := charged(claim, resource.MustParse(size)); got.Cmp(resource.MustParse(want)) != 0 {
			t.Errorf("%s counts as %s, want %s", size, got.String(), want)
		}
	}
}
