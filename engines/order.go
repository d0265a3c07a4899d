package engines

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// keepOrder puts the operator's entries first and in their order, then the user's in theirs; a strategic merge puts
// new entries anywhere. It matters: the first container is the one that kubectl takes, init containers run in order,
// and a variable can only refer to those before it.
func keepOrder(own, spec *corev1.PodSpec) {
	containerName := func(c corev1.Container) string { return c.Name }
	ownFirst(own.InitContainers, spec.InitContainers, containerName)
	ownFirst(own.Containers, spec.Containers, containerName)
	ownFirst(own.Volumes, spec.Volumes, func(v corev1.Volume) string { return v.Name })
	for _, lists := range [][2][]corev1.Container{{own.InitContainers, spec.InitContainers}, {own.Containers, spec.Containers}} {
		for i, c := range lists[0] {
			if i < len(lists[1]) && lists[1][i].Name == c.Name {
				keepContainerOrder(c, lists[1][i])
			}
		}
	}
}

func keepContainerOrder(own, c corev1.Container) {
	ownFirst(own.Env, c.Env, func(e corev1.EnvVar) string { return e.Name })
	ownFirst(own.VolumeMounts, c.VolumeMounts, func(m corev1.VolumeMount) string { return m.MountPath })
	ownFirst(own.Ports, c.Ports, func(p corev1.ContainerPort) int32 { return p.ContainerPort })
}

// ownFirst sorts the list in place; the sort is stable, so entries of the user's keep their order.
func ownFirst[T any, K comparable](own, list []T, key func(T) K) {
	rank := func(item T) int {
		at := slices.IndexFunc(own, func(o T) bool { return key(o) == key(item) })
		if at < 0 {
			return len(own)
		}
		return at
	}
	slices.SortStableFunc(list, func(a, b T) int { return rank(a) - rank(b) })
}
