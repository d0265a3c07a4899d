package steps

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/ops"
)

const namespace = "demo"

// world is a database px of three pods on a fake API server, and an operation on it.
type world struct {
	client   client.Client
	executor *Executor
	target   *Target
	// writes in order, for example "evict px-2 u-2"; fail answers the next write of that name.
	writes []string
	fail   map[string]error
}

func newWorld(t *testing.T, extra ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, kubedbv1.AddToScheme, opsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{fail: map[string]error{}}
	db := database()
	objects := append([]client.Object{db, workload("new"), request("r", "r1")}, extra...)
	for n := range int32(3) {
		objects = append(objects, pod(n, "old", true), claim(n, "1Gi"))
	}
	w.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(db).
		WithIndex(&corev1.Pod{}, IndexWorkload, func(o client.Object) []string { return []string{WorkloadOf(o.GetName())} }).
		WithInterceptorFuncs(w.interceptor()).Build()
	applier := &apply.Applier{Client: w.client, Live: w.client}
	w.executor = NewExecutor(w.client, applier, &Cluster{Client: w.client, Kind: perconaxtradb.New().Kind()}, func() time.Time { return noon })
	w.open(t)
	return w
}

// interceptor notes writes and plays the Eviction API, which the fake client does not have.
func (w *world) interceptor() interceptor.Funcs {
	return interceptor.Funcs{
		SubResourceCreate: func(ctx context.Context, c client.Client, _ string, o, sub client.Object, _ ...client.SubResourceCreateOption) error {
			eviction := sub.(*policyv1.Eviction)
			if err := w.note("evict %s %s", o.GetName(), *eviction.DeleteOptions.Preconditions.UID); err != nil {
				return err
			}
			return c.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: o.GetNamespace(), Name: o.GetName()}})
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			all := (&client.DeleteOptions{}).ApplyOptions(opts)
			if all.Preconditions == nil || all.Preconditions.UID == nil {
				return fmt.Errorf("deleting %s without a UID precondition", o.GetName())
			}
			if err := w.note("delete %s %s", o.GetName(), *all.Preconditions.UID); err != nil {
				return err
			}
			return c.Delete(ctx, o)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if err := w.note("patch %s", o.GetName()); err != nil {
				return err
			}
			return c.Patch(ctx, o, p, opts...)
		},
		Apply: func(_ context.Context, _ client.WithWatch, _ runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
			return w.note("apply")
		},
	}
}

func (w *world) note(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	w.writes = append(w.writes, text)
	return w.fail[text]
}

// open begins a pass: the target is read again, as a new pass would.
func (w *world) open(t *testing.T) {
	t.Helper()
	var db kubedbv1.PerconaXtraDB
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "px"}, &db); err != nil {
		t.Fatal(err)
	}
	j := &journal.Journal{Client: w.client, Now: time.Now}
	topology := ops.Topology{Database: "px", Groups: []ops.Group{{Name: "perconaxtradb", Workload: "px", Replicas: 3}}}
	before, after := workload("old"), workload("new")
	larger := resource.MustParse("2Gi")
	after.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests[corev1.ResourceStorage] = larger
	w.target = &Target{
		Engine: perconaxtradb.New(), Database: j.OpenDatabase(&db), Side: ops.After, Version: requestVersion,
		Request: ops.Request{Kind: "PerconaXtraDBOpsRequest", Name: "r", UID: "r1", Database: "px",
			Volumes: map[string]resource.Quantity{"perconaxtradb": larger}},
		Saved: &Saved{
			Request: "r1", Topology: topology,
			Before: State{Spec: []byte(`{"version":"8.0.40"}`), Workloads: map[string]*appsv1.StatefulSet{"perconaxtradb": before}},
			After:  State{Spec: []byte(`{"version":"8.0.40","halted":true}`), Workloads: map[string]*appsv1.StatefulSet{"perconaxtradb": after}},
		},
	}
}

func (w *world) do(t *testing.T, a ops.Action) ops.Outcome {
	t.Helper()
	w.open(t)
	out, err := w.executor.Do(t.Context(), w.target, a)
	if err != nil {
		t.Fatalf("%T: %v", a, err)
	}
	return out
}

// requestVersion is what the fake API server gives an object that it is made with.
const requestVersion = "999"

func request(name string, uid types.UID) *opsv1.PerconaXtraDBOpsRequest {
	return &opsv1.PerconaXtraDBOpsRequest{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uid}}
}

func database() *kubedbv1.PerconaXtraDB {
	return &kubedbv1.PerconaXtraDB{
		TypeMeta:   metav1.TypeMeta{APIVersion: "kubedb.com/v1", Kind: "PerconaXtraDB"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px", UID: "db"},
		Spec:       kubedbv1.PerconaXtraDBSpec{Version: "8.0.40"},
	}
}

func workload(hash string) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "px", UID: "set", Generation: 2,
			Annotations:     map[string]string{opsv1.AnnotationTemplateHash: hash},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "kubedb.com/v1", Kind: "PerconaXtraDB", Name: "px", UID: "db", Controller: ptr.To(true)}}},
		Spec: appsv1.StatefulSetSpec{
			Replicas: ptr.To[int32](3),
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Volumes: []corev1.Volume{secretVolume("px-config-" + hash)}}},
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data"},
				Spec: corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}}}}},
		},
		Status: appsv1.StatefulSetStatus{ObservedGeneration: 2, UpdateRevision: "px-new"},
	}
}

func secretVolume(name string) corev1.Volume {
	return corev1.Volume{Name: "custom-config", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}}
}

func pod(ordinal int32, revision string, ready bool) *corev1.Pod {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("px-%d", ordinal), UID: types.UID(fmt.Sprintf("%s-%d", revision, ordinal)),
			Labels:          labelled(map[string]string{appsv1.StatefulSetRevisionLabel: "px-" + revision, "app": "px"}),
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "px", UID: "set", Controller: ptr.To(true)}}},
		Spec:   corev1.PodSpec{Volumes: []corev1.Volume{secretVolume("px-config-" + revision)}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
	}
}

// labelled adds the labels by which the database's pods and claims are told.
func labelled(labels map[string]string) map[string]string {
	maps.Copy(labels, engines.SelectorLabels(perconaxtradb.New().Kind(), database()))
	return labels
}

func claim(ordinal int32, size string) *corev1.PersistentVolumeClaim {
	list := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("data-px-%d", ordinal), UID: types.UID(fmt.Sprintf("claim-%d", ordinal)),
			Labels: labelled(map[string]string{})},
		Spec:   corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{Requests: list.DeepCopy()}},
		Status: corev1.PersistentVolumeClaimStatus{Capacity: list.DeepCopy()},
	}
}

func budget(name string, healthy, allowed int32) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "px"}}},
		Status:     policyv1.PodDisruptionBudgetStatus{CurrentHealthy: healthy, DesiredHealthy: 2, ExpectedPods: 3, DisruptionsAllowed: allowed},
	}
}
