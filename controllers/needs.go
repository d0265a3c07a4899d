package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/internal/steps"
)

// secretNeeds are the Secrets without which a pod does not start, by name, and the keys that it needs of each.
type secretNeeds map[string][]string

func (n secretNeeds) add(name string, optional *bool, keys ...string) {
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

// addPod adds what the containers and volumes of a pod read.
func (n secretNeeds) addPod(spec corev1.PodSpec) {
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

func (n secretNeeds) addVolume(v corev1.VolumeSource) {
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

// startable refuses an operation that would take down pods which could not start again, since a Secret that they read is gone.
// Nothing but its owner can bring it back, and pods that run do without it. Those in made the operation makes itself, and copies of
// certificates that are to be issued.
func (c *Database) startable(ctx context.Context, o *operation, saved *steps.Saved, made []*corev1.Secret) error {
	needs := secretNeeds{}
	for group, workload := range saved.After.Workloads {
		if _, grows := o.request.Volumes[group]; grows && o.request.Mode == opsv1.ModeOffline || slices.Contains(saved.Rolls, group) {
			needs.addPod(workload.Spec.Template.Spec)
		}
	}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		if name == certs.PendingCopy(o.request.Database) || slices.ContainsFunc(made, func(s *corev1.Secret) bool { return s.Name == name }) {
			continue
		}
		wrong, err := c.lacks(ctx, o.request.Namespace, name, needs[name])
		if err != nil {
			return err
		}
		problems = append(problems, wrong...)
	}
	if len(problems) == 0 {
		return nil
	}
	return &refusal{opsv1.ReasonSecretMissing, fmt.Errorf(
		"%s, which the pods read: one that is taken down would not start again; make it again as it was, labels too, and then another request", strings.Join(problems, ", "))}
}

// lacks says what of a Secret is not there.
func (c *Database) lacks(ctx context.Context, namespace, name string, keys []string) (problems []string, err error) {
	secret, err := c.secret(ctx, namespace, name)
	switch {
	case apierrors.IsNotFound(err):
		return []string{"Secret " + name + " is missing"}, nil
	case err != nil:
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	for _, key := range keys {
		if _, ok := secret.Data[key]; !ok {
			problems = append(problems, fmt.Sprintf("Secret %s has no key %s", name, key))
		}
	}
	return problems, nil
}
