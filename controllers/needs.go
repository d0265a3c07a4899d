package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/internal/steps"
)

// startable refuses an operation that would take down pods which could not start again, since a Secret that they read is gone.
// Nothing but its owner can bring it back, and pods that run do without it. Those in made the operation makes itself, and copies of
// certificates that are to be issued.
func (c *Database) startable(ctx context.Context, o *operation, saved *steps.Saved, made []*corev1.Secret) error {
	needs := steps.SecretNeeds{}
	for group, workload := range saved.After.Workloads {
		if _, grows := o.request.Volumes[group]; grows && o.request.Mode == opsv1.ModeOffline || slices.Contains(saved.Rolls, group) {
			needs.AddPod(workload.Spec.Template.Spec)
		}
	}
	maps.DeleteFunc(needs, func(name string, _ []string) bool {
		return name == certs.PendingCopy(o.request.Database) || slices.ContainsFunc(made, func(s *corev1.Secret) bool { return s.Name == name })
	})
	ours := steps.SecretNeeds{}
	for name, keys := range needs {
		if certs.IsCopy(o.request.Database, name) {
			ours[name] = keys
			delete(needs, name)
		}
	}
	for _, part := range []struct {
		needs  steps.SecretNeeds
		remedy string
	}{
		{needs, "make it again as it was, labels too, and then another request"},
		{ours, "a Restart gives the pods the certificates that there are, once all of them are issued"},
	} {
		problems, err := c.Executor.Lacks(ctx, o.request.Namespace, part.needs)
		if err != nil {
			return err
		}
		if len(problems) > 0 {
			return &refusal{opsv1.ReasonSecretMissing, fmt.Errorf("%s, which the pods read: one that is taken down would not start again; %s",
				strings.Join(problems, ", "), part.remedy)}
		}
	}
	return nil
}
