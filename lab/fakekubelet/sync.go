package fakekubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/utils/ptr"
)

// syncPod fetches a pod's facts and carries out what is decided.
func (k *Kubelet) syncPod(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	pod, err := k.pods.Pods(key.Namespace).Get(key.Name)
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	node, err := k.nodes.Get(pod.Spec.NodeName)
	if err != nil || node.Labels[nodeLabel] == "" {
		return 0, ignoreNotFound(err)
	}
	faults, err := podFaults(k.rulesOf(key.Namespace), pod)
	if err != nil {
		slog.Error("fault ignored", "pod", key, "error", err)
	}
	facts := PodFacts{
		Pod: pod, Now: k.now(), Faults: faults, Delays: k.delays, Memory: k.podMemory.get(pod.UID),
		HostIP: nodeIP(node),
	}
	if pod.DeletionTimestamp == nil {
		facts.Config, facts.Missing = Inspect(pod, k.objects(key.Namespace), faults)
		if facts.Memory.IP == "" {
			facts.Memory.IP = k.addresses.next()
		}
	}
	decision := DecidePod(facts)
	k.podMemory.put(pod.UID, decision.Memory)
	if decision.Delete {
		// The precondition is what KWOK lacks: the name may have a new owner by now.
		return 0, ignoreNotFound(k.client.CoreV1().Pods(key.Namespace).Delete(ctx, key.Name, metav1.DeleteOptions{
			GracePeriodSeconds: ptr.To[int64](0), Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
		}))
	}
	if decision.Status != nil {
		if err := k.patchPodStatus(ctx, pod, decision.Status); err != nil {
			return 0, ignoreNotFound(err)
		}
	}
	return decision.After, nil
}

// patchPodStatus writes the difference only, as kubelets do: others own conditions in the same status.
func (k *Kubelet) patchPodStatus(ctx context.Context, pod *corev1.Pod, status *corev1.PodStatus) error {
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return fmt.Errorf("encode the status of pod %s: %w", pod.Name, err)
	}
	// The UID is in one of the two only, so that it is in the patch: a successor must not get it.
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: pod.UID}, Status: *status})
	if err != nil {
		return fmt.Errorf("encode the status of pod %s: %w", pod.Name, err)
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
	if err != nil {
		return fmt.Errorf("compare statuses of pod %s: %w", pod.Name, err)
	}
	_, err = k.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// syncClaim fetches a claim's facts and carries out what is decided.
func (k *Kubelet) syncClaim(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	claim, err := k.claims.PersistentVolumeClaims(key.Namespace).Get(key.Name)
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	class, err := k.classOf(ptr.Deref(claim.Spec.StorageClassName, ""))
	if class == nil || err != nil {
		return 0, err
	}
	faults, err := claimFaults(k.rulesOf(key.Namespace), claim)
	if err != nil {
		slog.Error("fault ignored", "claim", key, "error", err)
	}
	volume, err := k.volumeOf(claim)
	if err != nil {
		return 0, err
	}
	mounts, err := k.mountsOf(key)
	if err != nil {
		return 0, err
	}
	decision := DecideClaim(ClaimFacts{
		Claim: claim, Volume: volume, Class: class, Now: k.now(), Faults: faults, Delays: k.delays,
		Memory: k.claimMemory.get(claim.UID), Mounts: mounts,
	})
	k.claimMemory.put(claim.UID, decision.Memory)
	return decision.After, k.writeClaim(ctx, claim, volume, decision)
}

func (k *Kubelet) writeClaim(ctx context.Context, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume, d ClaimDecision) error {
	if d.Create != nil {
		_, err := k.client.CoreV1().PersistentVolumes().Create(ctx, d.Create, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	}
	if d.VolumeSize != nil {
		larger := volume.DeepCopy()
		larger.Spec.Capacity[corev1.ResourceStorage] = *d.VolumeSize
		if _, err := k.client.CoreV1().PersistentVolumes().Update(ctx, larger, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("grow volume %s: %w", volume.Name, err)
		}
	}
	if d.Status != nil {
		next := claim.DeepCopy()
		next.Status = *d.Status
		if _, err := k.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, next, metav1.UpdateOptions{}); err != nil {
			return ignoreNotFound(err)
		}
	}
	return nil
}

// syncVolume deletes a volume whose claim is gone, when its class says so: the binder leaves that to the
// provisioner.
func (k *Kubelet) syncVolume(ctx context.Context, name string) (time.Duration, error) {
	volume, err := k.volumes.Get(name)
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	if volume.Status.Phase != corev1.VolumeReleased || volume.DeletionTimestamp != nil ||
		volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete ||
		!provisions(volume.Annotations["pv.kubernetes.io/provisioned-by"]) {
		return 0, nil
	}
	k.attempts.drop(name)
	return 0, ignoreNotFound(k.client.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(volume.UID)),
	}))
}

func (k *Kubelet) classOf(name string) (*storagev1.StorageClass, error) {
	class, err := k.classes.Get(name)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return class, nil
}

func (k *Kubelet) volumeOf(claim *corev1.PersistentVolumeClaim) (*corev1.PersistentVolume, error) {
	name := claim.Spec.VolumeName
	if name == "" {
		name = volumeName(claim)
	}
	volume, err := k.volumes.Get(name)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return volume, nil
}

func (k *Kubelet) mountsOf(key types.NamespacedName) ([]types.UID, error) {
	pods, err := k.podIndex.ByIndex(byClaim, key.String())
	if err != nil {
		return nil, fmt.Errorf("find the pods of claim %s: %w", key, err)
	}
	var uids []types.UID
	for _, o := range pods {
		if pod, ok := o.(*corev1.Pod); ok && pod.DeletionTimestamp == nil {
			uids = append(uids, pod.UID)
		}
	}
	return uids, nil
}

// ignoreNotFound: what is gone needs no work. A conflict, be it with another writer or with a successor of
// the same name, is tried again from fresh facts.
func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
