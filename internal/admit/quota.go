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

// growth is how much more storage a request asks for, in all and by StorageClass. The sums are quantities because
// numbers of bytes can be larger than an integer.
func (o *operation) growth() map[corev1.ResourceName]resource.Quantity {
	sums := map[corev1.ResourceName]resource.Quantity{}
	add := func(name corev1.ResourceName, more resource.Quantity) {
		sum := sums[name]
		sum.Add(more)
		sums[name] = sum
	}
	for _, e := range o.expansions() {
		for _, claim := range e.claims {
			more := e.size.DeepCopy()
			more.Sub(claim.Spec.Resources.Requests[corev1.ResourceStorage])
			if more.Sign() <= 0 {
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

// checkQuota refuses what a ResourceQuota would stop half way: some claims grown and others not.
func checkQuota(o *operation) field.ErrorList {
	var errs field.ErrorList
	growth := o.growth()
	for _, quota := range o.quotas {
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
