//go:build lab

package bench

import (
	"cmp"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/drydock-db/drydock/test/framework"
)

// copyWorkloads makes a StatefulSet that updates itself for each of the database's, with the same pods.
func (s *site) copyWorkloads(b *testing.B) {
	models := framework.All[*appsv1.StatefulSet](s.Record)
	slices.SortFunc(models, func(x, y *appsv1.StatefulSet) int { return cmp.Compare(x.Name, y.Name) })
	for _, model := range models {
		set := &appsv1.StatefulSet{ObjectMeta: s.named("plain-" + model.Name), Spec: *model.Spec.DeepCopy()}
		labels := map[string]string{"app": set.Name}
		set.Spec.Selector, set.Spec.Template.Labels = &metav1.LabelSelector{MatchLabels: labels}, labels
		set.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType}
		for i := range set.Spec.VolumeClaimTemplates {
			set.Spec.VolumeClaimTemplates[i].Labels = nil // by which they would be the database's
		}
		s.copySecrets(b, &set.Spec.Template.Spec)
		s.create(b, set)
		s.copies = append(s.copies, set.Name)
		s.until(b, set.Name+" is rolled out", func() bool { return s.rolledOut(set.Name, 1) })
	}
	s.quiet(b)
}

// copySecrets gives the pods Secrets of their own. Operations delete the database's once none of its own pods mounts them, and a pod
// without its Secrets does not start.
func (s *site) copySecrets(b *testing.B, spec *corev1.PodSpec) {
	for i := range spec.Volumes {
		source := spec.Volumes[i].Secret
		if source == nil {
			continue
		}
		original, ok := framework.Latest[*corev1.Secret](s.Record, source.SecretName)
		if !ok {
			b.Fatalf("there is no Secret %s", source.SecretName)
		}
		source.SecretName = "plain-" + original.Name
		copied := &corev1.Secret{ObjectMeta: s.named(source.SecretName), Data: original.Data}
		if err := client.IgnoreAlreadyExists(s.Client.Create(b.Context(), copied)); err != nil {
			b.Fatal(err)
		}
	}
}

// rollout restarts the copies that often, one after the other, and returns how long that took.
func (s *site) rollout(b *testing.B, times int) time.Duration {
	began := time.Now()
	for range times {
		for _, name := range s.copies {
			s.restart(b, name)
		}
	}
	return time.Since(began)
}

// restart does what `kubectl rollout restart` does, and waits as `kubectl rollout status` does.
func (s *site) restart(b *testing.B, name string) {
	set := &appsv1.StatefulSet{ObjectMeta: s.named(name)}
	stamp := time.Now().Format(time.RFC3339Nano)
	patch := []byte(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"` + stamp + `"}}}}}`)
	if err := s.Client.Patch(b.Context(), set, client.RawPatch(types.MergePatchType, patch)); err != nil {
		b.Fatal(err)
	}
	s.until(b, name+" is rolled out", func() bool { return s.rolledOut(name, set.Generation) })
}

func (s *site) rolledOut(name string, generation int64) bool {
	set, ok := framework.Latest[*appsv1.StatefulSet](s.Record, name)
	return ok && set.Status.ObservedGeneration >= generation && set.Status.ReadyReplicas == *set.Spec.Replicas &&
		set.Status.UpdatedReplicas == *set.Spec.Replicas && set.Status.CurrentRevision == set.Status.UpdateRevision
}
