package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
)

// Revision is the update revision of a set: only its template counts.
func Revision(set *petsetv1.PetSet) (string, error) {
	raw, err := json.Marshal(set.Spec.Template)
	if err != nil {
		return "", fmt.Errorf("hashing the template of %s: %w", set.Name, err)
	}
	sum := sha256.Sum256(raw)
	return set.Name + "-" + hex.EncodeToString(sum[:5]), nil
}

// Pod is the pod of that ordinal.
func Pod(set *petsetv1.PetSet, ordinal int32, revision string) *corev1.Pod {
	template := set.Spec.Template.DeepCopy()
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Namespace, pod.Name = set.Namespace, set.Name+"-"+strconv.Itoa(int(ordinal))
	pod.OwnerReferences = []metav1.OwnerReference{owner(set)}
	pod.Spec.Hostname, pod.Spec.Subdomain = pod.Name, set.Spec.ServiceName
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[appsv1.StatefulSetPodNameLabel] = pod.Name
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(int(ordinal))
	pod.Labels[appsv1.StatefulSetRevisionLabel] = revision
	for i := range set.Spec.VolumeClaimTemplates {
		claim := set.Spec.VolumeClaimTemplates[i].Name
		pod.Spec.Volumes = slices.DeleteFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == claim })
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: claim, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim + "-" + pod.Name},
		}})
	}
	return pod
}

// Claim is what a pod's claim is made from; like a StatefulSet's it carries the selector's labels and nothing owns it.
func Claim(set *petsetv1.PetSet, template *corev1.PersistentVolumeClaim, pod string) *corev1.PersistentVolumeClaim {
	claim := template.DeepCopy()
	claim.TypeMeta, claim.Status = metav1.TypeMeta{}, corev1.PersistentVolumeClaimStatus{}
	claim.Namespace, claim.Name = set.Namespace, template.Name+"-"+pod
	if claim.Labels == nil {
		claim.Labels = map[string]string{}
	}
	maps.Copy(claim.Labels, set.Spec.Selector.MatchLabels)
	return claim
}

func owner(set *petsetv1.PetSet) metav1.OwnerReference {
	return *metav1.NewControllerRef(set, petsetv1.GroupVersion.WithKind("PetSet"))
}
