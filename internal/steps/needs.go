package steps

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// SecretNeeds are the Secrets without which a pod does not start, by name, and the keys that it needs of each.
type SecretNeeds map[string][]string

func (n SecretNeeds) add(name string, optional *bool, keys ...string) {
	if name == "" || optional != nil && *optional {
		return
	}
	all := n[name]
	for _, key := range keys {
		if !slices.Contains(all, key) {
			all = append(all, key)
		}
	}
	n[name] = all
}

// AddPod adds what the containers and volumes of a pod read.
func (n SecretNeeds) AddPod(spec corev1.PodSpec) {
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				n.add(e.ValueFrom.SecretKeyRef.Name, e.ValueFrom.SecretKeyRef.Optional, e.ValueFrom.SecretKeyRef.Key)
			}
		}
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				n.add(from.SecretRef.Name, from.SecretRef.Optional)
			}
		}
	}
	for _, v := range spec.Volumes {
		n.addVolume(v.VolumeSource)
	}
}

func (n SecretNeeds) addVolume(v corev1.VolumeSource) {
	if v.Secret != nil {
		n.add(v.Secret.SecretName, v.Secret.Optional, keysOf(v.Secret.Items)...)
	}
	if v.Projected == nil {
		return
	}
	for _, source := range v.Projected.Sources {
		if source.Secret != nil {
			n.add(source.Secret.Name, source.Secret.Optional, keysOf(source.Secret.Items)...)
		}
	}
}

func keysOf(items []corev1.KeyToPath) []string {
	keys := make([]string, len(items))
	for i, item := range items {
		keys[i] = item.Key
	}
	return keys
}

// Lacks says what of those Secrets is not there, and of which keys. It asks the API server for each.
func (x *Executor) Lacks(ctx context.Context, namespace string, needs SecretNeeds) (problems []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		secret, err := x.liveSecret(ctx, namespace, name)
		if err != nil {
			return nil, err
		}
		if secret == nil {
			problems = append(problems, "Secret "+name+" is missing")
			continue
		}
		for _, key := range needs[name] {
			if _, ok := secret.Data[key]; !ok {
				problems = append(problems, fmt.Sprintf("Secret %s has no key %s", name, key))
			}
		}
	}
	return problems, nil
}
