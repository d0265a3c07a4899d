package fakekubelet

import (
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// This file says which work a change causes.

func keyOf(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func (k *Kubelet) podChanged(pod *corev1.Pod) {
	k.podLoop.queue.Add(keyOf(pod))
	k.claimsOf(pod)
}

func (k *Kubelet) podGone(pod *corev1.Pod) {
	k.podMemory.drop(pod.UID)
	k.claimsOf(pod)
}

func (k *Kubelet) claimsOf(pod *corev1.Pod) {
	for _, name := range claimNames(pod) {
		k.claimLoop.queue.Add(types.NamespacedName{Namespace: pod.Namespace, Name: name})
	}
}

// nodeChanged matters once per node: pods may be bound before the node is known here.
func (k *Kubelet) nodeChanged(node *corev1.Node) {
	pods, err := k.pods.List(labels.Everything())
	if err != nil {
		slog.Error("list pods of a node", "node", node.Name, "error", err)
		return
	}
	for _, pod := range pods {
		if pod.Spec.NodeName == node.Name {
			k.podLoop.queue.Add(keyOf(pod))
		}
	}
}

func (k *Kubelet) secretChanged(secret *corev1.Secret) { k.wakeWaiting(secret.Namespace) }

func (k *Kubelet) configMapChanged(config *corev1.ConfigMap) {
	if config.Name == FaultsConfigMap {
		k.rulesChanged(config.Namespace)
		return
	}
	k.wakeWaiting(config.Namespace)
}

func (k *Kubelet) claimChanged(claim *corev1.PersistentVolumeClaim) {
	k.claimLoop.queue.Add(keyOf(claim))
	if claim.Status.Phase == corev1.ClaimBound {
		k.wakeMounting(claim)
	}
}

func (k *Kubelet) claimGone(claim *corev1.PersistentVolumeClaim) { k.claimMemory.drop(claim.UID) }

func (k *Kubelet) volumeChanged(volume *corev1.PersistentVolume) {
	k.volumeLoop.queue.Add(volume.Name)
	if ref := volume.Spec.ClaimRef; ref != nil {
		k.claimLoop.queue.Add(types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name})
	}
}

// classChanged serves claims that were made before their class.
func (k *Kubelet) classChanged(class *storagev1.StorageClass) {
	claims, err := k.claims.List(labels.Everything())
	if err != nil {
		slog.Error("list claims of a class", "class", class.Name, "error", err)
		return
	}
	for _, claim := range claims {
		k.claimLoop.queue.Add(keyOf(claim))
	}
}

// wakeWaiting looks again at the pods of a namespace that have not started.
func (k *Kubelet) wakeWaiting(namespace string) { k.wakePods(waitingIn, namespace) }

func (k *Kubelet) wakeMounting(claim *corev1.PersistentVolumeClaim) {
	k.wakePods(byClaim, claim.Namespace+"/"+claim.Name)
}

func (k *Kubelet) wakePods(index, value string) {
	keys, err := k.podIndex.IndexKeys(index, value)
	if err != nil {
		slog.Error("look up pods", "index", index, "value", value, "error", err)
		return
	}
	for _, key := range keys {
		if namespace, name, err := cache.SplitMetaNamespaceKey(key); err == nil {
			k.podLoop.queue.Add(types.NamespacedName{Namespace: namespace, Name: name})
		}
	}
}

// rulesChanged looks again at everything in a namespace: faults concern running pods too.
func (k *Kubelet) rulesChanged(namespace string) {
	pods, err := k.pods.Pods(namespace).List(labels.Everything())
	if err != nil {
		slog.Error("list pods", "namespace", namespace, "error", err)
	}
	for _, pod := range pods {
		k.podLoop.queue.Add(keyOf(pod))
	}
	claims, err := k.claims.PersistentVolumeClaims(namespace).List(labels.Everything())
	if err != nil {
		slog.Error("list claims", "namespace", namespace, "error", err)
	}
	for _, claim := range claims {
		k.claimLoop.queue.Add(keyOf(claim))
	}
}
