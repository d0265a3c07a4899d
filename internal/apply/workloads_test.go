package apply

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// set is a workload with everything that has to survive a conversion.
func set(size, policy string) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "demo", Name: "px", Generation: 7, UID: "u-1", Labels: map[string]string{"a": "b"},
			Annotations: map[string]string{opsv1.AnnotationTemplateHash: "h"},
		},
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(3)), ServiceName: "px-pods", PodManagementPolicy: appsv1.ParallelPodManagement,
			Selector:       &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "db", Image: "db:1"}}},
			},
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
				ObjectMeta: metav1.ObjectMeta{Name: "data"},
				Spec: corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
				}},
			}},
		},
		Status: appsv1.StatefulSetStatus{ObservedGeneration: 6, UpdateRevision: "px-2", Replicas: 3},
	}
	if policy != "" {
		s.Spec.Template.Annotations = map[string]string{opsv1.AnnotationPlacement: policy}
	}
	return s
}

func TestPetSetsComeBackAsTheyWent(t *testing.T) {
	for _, policy := range []string{"", "spread"} {
		before := set("1Gi", policy)
		p := petSet(before)
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var read petsetv1.PetSet
		if err := json.Unmarshal(raw, &read); err != nil {
			t.Fatal(err)
		}
		if after := statefulSet(&read); !equality.Semantic.DeepEqual(before, after) {
			t.Errorf("policy %q: went as\n%+v\nand came back as\n%+v", policy, before, after)
		}
		if p.Spec.Template.Labels["a"] = "changed"; before.Spec.Template.Labels["a"] != "b" {
			t.Error("the PetSet shares memory with the workload")
		}
	}
}

// The names of fields in JSON are the API's, not ours.
func TestPetSetFields(t *testing.T) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(petSet(set("1Gi", "spread")))
	if err != nil {
		t.Fatal(err)
	}
	if got := content["apiVersion"].(string) + " " + content["kind"].(string); got != "apps.k8s.appscode.com/v1 PetSet" {
		t.Errorf("it is a %s", got)
	}
	spec := content["spec"].(map[string]any)
	for _, field := range []string{"replicas", "selector", "serviceName", "template", "volumeClaimTemplates", "updateStrategy", "podManagementPolicy"} {
		if _, ok := spec[field]; !ok {
			t.Errorf("spec has no %s: %v", field, spec)
		}
	}
	if got, want := spec["podPlacementPolicy"], map[string]any{"name": "spread"}; !reflect.DeepEqual(got, want) {
		t.Errorf("podPlacementPolicy is %v, want %v", got, want)
	}
	if _, ok := spec["distributed"]; ok {
		t.Error("distributed is set, which is not ours to say")
	}
}

func TestFindWorkloads(t *testing.T) {
	mapper := func(petSets bool) meta.RESTMapper {
		m := meta.NewDefaultRESTMapper(nil)
		if petSets {
			m.Add(petsetv1.GroupVersion.WithKind("PetSet"), meta.RESTScopeNamespace)
		}
		return m
	}
	for name, c := range map[string]struct {
		served, wanted bool
		want           Workloads
		problem        string
	}{
		"StatefulSets alone":                 {},
		"StatefulSets where PetSets are too": {served: true, want: Workloads{Both: true}},
		"PetSets":                            {served: true, wanted: true, want: Workloads{PetSets: true, Both: true}},
		"PetSets that are not served":        {wanted: true, problem: "the cluster does not serve apps.k8s.appscode.com/v1 PetSet"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := FindWorkloads(mapper(c.served), c.wanted)
			if got != c.want || (err != nil) != (c.problem != "") {
				t.Fatalf("got %+v and %v, want %+v", got, err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.problem) {
				t.Errorf("the error is %q, want %q in it", err, c.problem)
			}
		})
	}
}

func applier(t *testing.T, w Workloads, objects ...client.Object) *Applier {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, petsetv1.AddToScheme, kubedbv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	return &Applier{Client: c, Live: c, Workloads: w}
}

func TestOwnedMakesPetSets(t *testing.T) {
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "owner"}}
	a := applier(t, Workloads{PetSets: true, Both: true}, owner)
	key := client.ObjectKeyFromObject(owner)
	for i, c := range []struct {
		size, policy string
		wrote        bool
	}{{"1Gi", "spread", true}, {"1Gi", "spread", false}} {
		desired := set(c.size, c.policy)
		desired.UID, desired.Generation, desired.Status = "", 0, appsv1.StatefulSetStatus{}
		wrote, err := a.Owned(t.Context(), owner, desired)
		if err != nil || wrote != c.wrote {
			t.Fatalf("%d: wrote %t, want %t: %v", i, wrote, c.wrote, err)
		}
	}
	// What only operations write: a grown claim template goes to the PetSet that is there, and a policy leaves it.
	grown := set("2Gi", "")
	grown.UID, grown.Generation = "", 0
	seen, err := a.Workloads.Get(t.Context(), a.Client, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Workload(t.Context(), owner, grown, seen); err != nil {
		t.Fatal(err)
	}
	live, err := a.Workloads.Get(t.Context(), a.Client, key)
	if err != nil {
		t.Fatal(err)
	}
	if got := live.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests.Storage().String(); got != "2Gi" {
		t.Errorf("the claim template asks for %s", got)
	}
	if !metav1.IsControlledBy(live, owner) || live.Kind != "StatefulSet" {
		t.Errorf("read a %s of %v", live.Kind, live.OwnerReferences)
	}
	var p petsetv1.PetSet
	if err := a.Client.Get(t.Context(), key, &p); err != nil || p.Spec.PodPlacementPolicy != nil {
		t.Errorf("the placement policy is %v, want none: %v", p.Spec.PodPlacementPolicy, err)
	}
	if err := a.Client.Get(t.Context(), key, &appsv1.StatefulSet{}); !apierrors.IsNotFound(err) {
		t.Errorf("there is a StatefulSet too: %v", err)
	}
}

func TestVacant(t *testing.T) {
	left := set("1Gi", "")
	for name, c := range map[string]struct {
		workloads Workloads
		left      client.Object
		found     string
	}{
		"nothing is left":                     {workloads: Workloads{PetSets: true, Both: true}},
		"a StatefulSet is left":               {Workloads{PetSets: true, Both: true}, left, "StatefulSet px runs these pods"},
		"a PetSet is left":                    {Workloads{Both: true}, petSet(left), "PetSet px runs these pods"},
		"one kind is served, nobody asks":     {Workloads{}, petSet(left), ""},
		"a workload of the kind that is made": {Workloads{Both: true}, left, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var objects []client.Object
			if c.left != nil {
				objects = append(objects, c.left.DeepCopyObject().(client.Object))
			}
			err := applier(t, c.workloads, objects...).Vacant(t.Context(), client.ObjectKeyFromObject(left))
			var elsewhere *ElsewhereError
			if errors.As(err, &elsewhere) != (c.found != "") || (err != nil && !strings.Contains(err.Error(), c.found)) {
				t.Errorf("got %v, want %q", err, c.found)
			}
		})
	}
}

func TestAWorkloadIsWrittenOverWhatWasSeen(t *testing.T) {
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "owner"}}
	for _, w := range []Workloads{{}, {PetSets: true, Both: true}} {
		a := applier(t, w, owner)
		size := func(size string) *appsv1.StatefulSet {
			s := set(size, "")
			s.UID, s.Generation = "", 0
			return s
		}
		if _, err := a.Workload(t.Context(), owner, size("1Gi"), nil); err != nil {
			t.Fatal(err)
		}
		seen, err := w.Get(t.Context(), a.Client, client.ObjectKeyFromObject(owner))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Workload(t.Context(), owner, size("2Gi"), seen); err != nil {
			t.Fatal(err)
		}
		if err := a.Seen(seen); !errors.As(err, new(*BehindError)) {
			t.Errorf("%s: what was seen is older than what was written; got %v, want a BehindError", w.Kind(), err)
		}
		if _, err := a.Workload(t.Context(), owner, size("1Gi"), seen); !apierrors.IsConflict(err) {
			t.Errorf("%s: somebody has written in between; got %v, want a conflict", w.Kind(), err)
		}
		if seen, err = w.Get(t.Context(), a.Client, client.ObjectKeyFromObject(owner)); err != nil || a.Seen(seen) != nil {
			t.Errorf("%s: the cache has caught up, and yet: %v, %v", w.Kind(), err, a.Seen(seen))
		}
	}
}

// A workload that a cache does not show yet may have other claim templates than the one that is to be made: the API server would
// refuse the write for good. One that no cache will show, since somebody has taken its labels away, is written over.
func TestAWorkloadThatTheCacheDoesNotShowYet(t *testing.T) {
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "owner"}}
	for _, w := range []Workloads{{}, {PetSets: true, Both: true}} {
		for name, labels := range map[string]map[string]string{"ours": {"a": "b", "c": "d"}, "without labels": nil} {
			a := applier(t, w, owner)
			made := func(size string) *appsv1.StatefulSet {
				s := set(size, "")
				s.UID, s.Generation = "", 0
				return s
			}
			if _, err := a.Workload(t.Context(), owner, made("2Gi"), nil); err != nil {
				t.Fatal(err)
			}
			live, err := w.Get(t.Context(), a.Client, client.ObjectKeyFromObject(owner))
			if err != nil {
				t.Fatal(err)
			}
			o := w.Object(live)
			o.SetLabels(labels)
			if err := a.Client.Update(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			_, err = a.Workload(t.Context(), owner, made("1Gi"), nil)
			if behind := errors.As(err, new(*BehindError)); behind != (labels != nil) || err != nil && !behind {
				t.Errorf("%s, %s: %v", w.Kind(), name, err)
			}
		}
	}
}

func TestLatest(t *testing.T) {
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "px", UID: "owner"}}
	for _, w := range []Workloads{{}, {PetSets: true, Both: true}} {
		a, now := applier(t, w, owner, w.Object(set("1Gi", ""))), time.Now()
		seen, err := w.Get(t.Context(), a.Client, client.ObjectKeyFromObject(owner))
		if err != nil {
			t.Fatal(err)
		}
		older, other := seen.DeepCopy(), seen.DeepCopy()
		older.Generation--
		other.UID = "another"
		for _, c := range []struct {
			name   string
			seen   *appsv1.StatefulSet
			later  time.Duration
			behind bool
		}{
			{"an older one, and nobody has asked", older, 0, true},
			{"the latest", seen, 0, false},
			{"one that has been made anew", other, 0, true},
			{"an older one, and the latest was seen a moment ago", older, time.Second, false},
			{"an older one after a sleep", older, LatestFor, true},
		} {
			if err := a.Latest(t.Context(), c.seen, now.Add(c.later)); errors.As(err, new(*BehindError)) != c.behind {
				t.Errorf("%s: %s: %v", w.Kind(), c.name, err)
			}
		}
	}
}
