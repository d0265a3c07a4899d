package admit

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// suffixOfClass turns the name of a StorageClass into the name of its quota.
const suffixOfClass = ".storageclass.storage.k8s.io/requests.storage"

// growth is how much more storage a request asks for that counts in a quota, in all and by StorageClass. The sums are quantities
// because numbers of bytes can be larger than an integer.
func (o *operation) growth(quota *corev1.ResourceQuota) map[corev1.ResourceName]resource.Quantity {
	sums := map[corev1.ResourceName]resource.Quantity{}
	add := func(name corev1.ResourceName, more resource.Quantity) {
		sum := sums[name]
		sum.Add(more)
		sums[name] = sum
	}
	for _, e := range o.expansions() {
		for _, claim := range e.claims {
			more := charged(&claim, e.size)
			more.Sub(charged(&claim, claim.Spec.Resources.Requests[corev1.ResourceStorage]))
			if more.Sign() <= 0 || !counts(quota, &claim) {
				continue
			}
			add(corev1.ResourceRequestsStorage, more)
			if class := deref(claim.Spec.StorageClassName); class != "" {
				add(corev1.ResourceName(class+suffixOfClass), more)
			}
		}
	}
	return sums
}

// charged is what a quota counts for a claim of that size: what was promised to it once counts until it is taken back.
func charged(claim *corev1.PersistentVolumeClaim, size resource.Quantity) resource.Quantity {
	if promised, ok := claim.Status.AllocatedResources[corev1.ResourceStorage]; ok && promised.Cmp(size) > 0 {
		return promised.DeepCopy()
	}
	return size.DeepCopy()
}

// counts tells whether a claim is in every scope of a quota. Claims know one kind of scope: the class of their volume's attributes.
func counts(quota *corev1.ResourceQuota, claim *corev1.PersistentVolumeClaim) bool {
	var scopes []corev1.ScopedResourceSelectorRequirement
	for _, name := range quota.Spec.Scopes {
		scopes = append(scopes, corev1.ScopedResourceSelectorRequirement{ScopeName: name, Operator: corev1.ScopeSelectorOpExists})
	}
	if quota.Spec.ScopeSelector != nil {
		scopes = append(scopes, quota.Spec.ScopeSelector.MatchExpressions...)
	}
	outside := func(scope corev1.ScopedResourceSelectorRequirement) bool {
		return !inScope(scope, attributeClasses(claim))
	}
	return !slices.ContainsFunc(scopes, outside)
}

// attributeClasses of a claim: the one that it asks for, the one that it has, and the one that it is on the way to.
func attributeClasses(claim *corev1.PersistentVolumeClaim) []string {
	var names []string
	if change := claim.Status.ModifyVolumeStatus; change != nil {
		names = append(names, change.TargetVolumeAttributesClassName)
	}
	names = append(names, deref(claim.Spec.VolumeAttributesClassName), deref(claim.Status.CurrentVolumeAttributesClassName))
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

func inScope(scope corev1.ScopedResourceSelectorRequirement, classes []string) bool {
	named := func(class string) bool { return slices.Contains(scope.Values, class) }
	switch {
	case scope.ScopeName != corev1.ResourceQuotaScopeVolumeAttributesClass:
		return false
	case scope.Operator == corev1.ScopeSelectorOpExists:
		return len(classes) > 0
	case scope.Operator == corev1.ScopeSelectorOpDoesNotExist:
		return len(classes) == 0
	case scope.Operator == corev1.ScopeSelectorOpIn:
		return slices.ContainsFunc(classes, named)
	}
	return len(classes) == 0 || slices.ContainsFunc(classes, func(class string) bool { return !named(class) }) // NotIn
}

// checkQuota refuses what a ResourceQuota would stop half way: some claims grown and others not.
func checkQuota(o *operation) field.ErrorList {
	var errs field.ErrorList
	for _, quota := range o.quotas {
		growth := o.growth(&quota)
		hard, used := quota.Status.Hard, quota.Status.Used
		if len(hard) == 0 {
			hard = quota.Spec.Hard // the quota controller has not counted yet
		}
		for _, name := range slices.Sorted(maps.Keys(hard)) {
			more, asked := growth[name]
			left := hard[name].DeepCopy()
			left.Sub(used[name])
			if !asked || more.Cmp(left) <= 0 {
				continue
			}
			if left.Sign() < 0 {
				left = resource.Quantity{Format: left.Format}
			}
			most, now := hard[name], used[name]
			errs = append(errs, field.Forbidden(volumePath, fmt.Sprintf(
				"the volumes would grow by %s in all, and ResourceQuota %s leaves %s of %s (%s of %s are used): ask for less, or have the quota raised",
				more.String(), quota.Name, left.String(), name, now.String(), most.String())))
		}
	}
	return errs
}
