//go:build lab

package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/test/framework"
)

// patience is how long one thing may take.
const patience = 3 * time.Minute

var sizes = []int32{3, 5}

// BenchmarkRestart carries out Restart requests. Besides the time it reports how many times the operator wrote to the API
// server for each, and prints what it wrote.
func BenchmarkRestart(b *testing.B) {
	for _, pods := range sizes {
		b.Run(fmt.Sprintf("pods=%d", pods), func(b *testing.B) {
			s := newSpace(b)
			s.provision(b, pods)
			audit, err := s.Audit()
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				n++
				s.restart(b, n)
			}
			calls, err := audit.Calls(framework.OperatorUser, s.Name)
			if err != nil {
				b.Fatal(err)
			}
			report(b, calls, n)
		})
	}
}

// BenchmarkRolloutRestart restarts the pods of an equal StatefulSet the way `kubectl rollout restart` does: what the
// cluster itself needs for it is what an operation can be compared with.
func BenchmarkRolloutRestart(b *testing.B) {
	for _, pods := range sizes {
		b.Run(fmt.Sprintf("pods=%d", pods), func(b *testing.B) {
			s := newSpace(b)
			s.provision(b, pods)
			s.copyWorkload(b)
			n := 0
			for b.Loop() {
				n++
				s.rollout(b, n)
			}
		})
	}
}

// report prints the operator's writes for each operation, by verb and resource. Events are told from the rest.
func report(b *testing.B, calls []framework.Call, n int) {
	counts := framework.Count(calls, framework.Call.Write)
	total, events := 0, 0
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		b.Logf("%6.1f %s", float64(counts[what])/float64(n), what)
		if strings.HasSuffix(what, " events") {
			events += counts[what]
		} else {
			total += counts[what]
		}
	}
	b.ReportMetric(float64(total)/float64(n), "writes/op")
	b.ReportMetric(float64(events)/float64(n), "events/op")
}

// space is a namespace to measure in.
type space struct{ *framework.Space }

func newSpace(b *testing.B) space {
	lab, err := framework.Connect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	s, err := lab.NewSpace(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Delete(ctx, patience); err != nil {
			b.Error(err)
		}
	})
	if err := s.Faults(b.Context()); err != nil {
		b.Fatal(err)
	}
	return space{s}
}

func (s space) create(b *testing.B, o client.Object) {
	if err := s.Client.Create(b.Context(), o); err != nil {
		b.Fatal(err)
	}
}

// until polls what was recorded: waiting costs the API server nothing.
func (s space) until(b *testing.B, what string, done func() bool) {
	for deadline := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%s: not within %s", what, patience)
		}
	}
}

func (s space) ready() bool {
	db, ok := framework.Latest[*kubedbv1.PerconaXtraDB](s.Record, "px")
	return ok && db.Status.Phase == kubedbv1.PhaseReady
}

// provision makes a PerconaXtraDB and waits until it is Ready.
func (s space) provision(b *testing.B, pods int32) {
	db := &kubedbv1.PerconaXtraDB{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "px"}}
	db.Spec.Version, db.Spec.Replicas = "8.0.40", &pods
	db.Spec.PodTemplate.Spec.TerminationGracePeriodSeconds = new(int64(1))
	db.Spec.Storage = &corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
	}}
	s.create(b, db)
	s.until(b, "the database becomes Ready", s.ready)
	time.Sleep(2 * time.Second) // until everything that follows from being Ready has been written
}

func (s space) restart(b *testing.B, n int) {
	r := &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: fmt.Sprintf("restart-%d", n)}}
	r.Spec.DatabaseRef.Name, r.Spec.Type = "px", opsv1.Restart
	s.create(b, r)
	s.until(b, r.Name+" is Successful", func() bool {
		now, ok := framework.Latest[*opsv1.PerconaXtraDBOpsRequest](s.Record, r.Name)
		return ok && now.Status.Phase == opsv1.PhaseSuccessful
	})
}

// copyWorkload makes a StatefulSet with the database's pods that updates itself.
func (s space) copyWorkload(b *testing.B) {
	model, ok := framework.Latest[*appsv1.StatefulSet](s.Record, "px")
	if !ok {
		b.Fatal("there is no StatefulSet px")
	}
	labels := map[string]string{"app": "plain"}
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "plain"}, Spec: *model.Spec.DeepCopy()}
	set.Spec.Selector, set.Spec.Template.Labels = &metav1.LabelSelector{MatchLabels: labels}, labels
	set.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType}
	s.create(b, set)
	s.until(b, "the copy is rolled out", func() bool { return s.rolledOut(1) })
}

// rolledOut is what `kubectl rollout status` waits for.
func (s space) rolledOut(generation int64) bool {
	set, ok := framework.Latest[*appsv1.StatefulSet](s.Record, "plain")
	return ok && set.Status.ObservedGeneration >= generation && set.Status.ReadyReplicas == *set.Spec.Replicas &&
		set.Status.UpdatedReplicas == *set.Spec.Replicas && set.Status.CurrentRevision == set.Status.UpdateRevision
}

func (s space) rollout(b *testing.B, n int) {
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "plain"}}
	patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"%d"}}}}}`, n)
	if err := s.Client.Patch(b.Context(), set, client.RawPatch(types.MergePatchType, patch)); err != nil {
		b.Fatal(err)
	}
	s.until(b, "the copy is rolled out", func() bool { return s.rolledOut(set.Generation) })
}
