package steps

import (
	"context"
	"errors"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/ops"
)

func TestAWorkloadIsNotWrittenForARequestThatHasChanged(t *testing.T) {
	for name, change := range map[string]func(context.Context, client.Client) error{
		"changed": func(ctx context.Context, c client.Client) error {
			return c.Patch(ctx, request("r", "r1"), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`)))
		},
		"gone": func(ctx context.Context, c client.Client) error {
			uid := types.UID("r1")
			return c.Delete(ctx, request("r", "r1"), client.Preconditions{UID: &uid})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			another := workload("another")
			another.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("2Gi")
			w.target.Saved.After.Workloads["perconaxtradb"] = another
			if err := change(t.Context(), w.client); err != nil {
				t.Fatal(err)
			}
			w.writes = nil
			for _, a := range []ops.Action{
				ops.ApplyObjects{To: ops.After, Groups: []string{"perconaxtradb"}}, roll,
				ops.DetachWorkload{To: ops.After, Group: "perconaxtradb"}, ops.StopPod{Group: "perconaxtradb", Pod: "px-2"},
			} {
				if out, err := w.executor.Do(t.Context(), w.target, a); !errors.As(err, new(*apply.BehindError)) {
					t.Errorf("%T: %+v, %v; want a BehindError", a, out, err)
				}
			}
			if len(w.writes) > 0 {
				t.Errorf("written all the same: %v", w.writes)
			}
		})
	}
}

func TestNoPodLeavesForAWorkloadThatIsNotTheLatest(t *testing.T) {
	w := newWorld(t, budget("px", 3, 1))
	cached := workload("new")
	behind := interceptor.NewClient(w.client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if set, ok := o.(*appsv1.StatefulSet); ok {
				cached.DeepCopyInto(set)
				set.Generation, set.Status.ObservedGeneration = 1, 1
				return nil
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
	w.executor.Client, w.executor.Cluster.Client = behind, behind
	if out, err := w.executor.Do(t.Context(), w.target, roll); !errors.As(err, new(*apply.BehindError)) || len(w.writes) > 0 {
		t.Errorf("%+v, %v, writes %v", out, err, w.writes)
	}
}

// The claims' cache may be the one that is behind: a pod whose volume has grown by now has been through its restart.
func TestNoPodIsStoppedForAClaimThatHasGrown(t *testing.T) {
	w := newWorld(t)
	grown := interceptor.NewClient(w.client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			err := c.Get(ctx, key, o, opts...)
			if pvc, ok := o.(*corev1.PersistentVolumeClaim); ok && key.Name == "data-px-2" {
				pvc.Status.Capacity[corev1.ResourceStorage] = resource.MustParse("2Gi")
			}
			return err
		},
	})
	for _, stage := range []string{"with its workload", "detached"} {
		w.executor.Apply.Live = grown
		out, err := w.executor.Do(t.Context(), w.target, ops.StopPod{Group: "perconaxtradb", Pod: "px-2"})
		if !errors.As(err, new(*apply.BehindError)) || len(w.writes) > 0 {
			t.Errorf("%s: %+v, %v, writes %v", stage, out, err, w.writes)
		}
		w.executor.Apply.Live = w.client
		w.do(t, ops.StopPod{Group: "perconaxtradb", Pod: "px-2"}) // it is detached now
		w.writes = nil
	}
}

// Or the pods' cache: another pod of the group may be down by now.
func TestNoPodIsStoppedWhileAnotherIsDown(t *testing.T) {
	for name, change := range map[string]func(*corev1.PodList){
		"gone":      func(l *corev1.PodList) { l.Items = l.Items[1:] },
		"not Ready": func(l *corev1.PodList) { l.Items[0].Status.Conditions[0].Status = corev1.ConditionFalse },
		"leaving":   func(l *corev1.PodList) { l.Items[0].DeletionTimestamp = &metav1.Time{Time: noon} },
		"another":   func(l *corev1.PodList) { l.Items[0].UID = "successor" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.executor.Apply.Live = interceptor.NewClient(w.client.(client.WithWatch), interceptor.Funcs{
				List: func(ctx context.Context, c client.WithWatch, o client.ObjectList, opts ...client.ListOption) error {
					err := c.List(ctx, o, opts...)
					if pods, ok := o.(*corev1.PodList); ok {
						change(pods)
					}
					return err
				},
			})
			out, err := w.executor.Do(t.Context(), w.target, ops.StopPod{Group: "perconaxtradb", Pod: "px-2"})
			if !errors.As(err, new(*apply.BehindError)) || len(w.writes) > 0 {
				t.Errorf("%+v, %v, writes %v", out, err, w.writes)
			}
		})
	}
}

// A pod that is missing while the workload is detached is brought back before the next one is stopped.
func TestNoPodIsStoppedWhileAnotherIsMissing(t *testing.T) {
	w := newWorld(t)
	stop := ops.StopPod{Group: "perconaxtradb", Pod: "px-2"}
	gone := pod(1, "old", true)
	if err := w.client.Delete(t.Context(), gone, client.Preconditions{UID: &gone.UID}); err != nil {
		t.Fatal(err)
	}
	w.writes = nil
	if out := w.do(t, stop); out.Reason != ReasonOtherPodDown || slices.Contains(w.writes, "delete px-2 old-2") {
		t.Errorf("%+v, writes %v", out, w.writes)
	}
}

// A claim that is being deleted waits for its last pod: a pod that was stopped would lose its data.
func TestAPodWhoseClaimIsNotThereIsNotStopped(t *testing.T) {
	stop := ops.StopPod{Group: "perconaxtradb", Pod: "px-2"}
	claims := map[string]func(*corev1.PersistentVolumeClaim, *error){
		"gone": func(c *corev1.PersistentVolumeClaim, err *error) {
			*err = apierrors.NewNotFound(corev1.Resource(string(corev1.ResourcePersistentVolumeClaims)), c.Name)
		},
		"being deleted":      func(c *corev1.PersistentVolumeClaim, _ *error) { c.DeletionTimestamp = &metav1.Time{Time: noon} },
		"without our labels": func(c *corev1.PersistentVolumeClaim, _ *error) { c.Labels = nil },
	}
	for name, change := range claims {
		for _, live := range []bool{false, true} { // in the cache, or at the API server only
			w := newWorld(t)
			through := interceptor.NewClient(w.client.(client.WithWatch), interceptor.Funcs{
				Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
					err := c.Get(ctx, key, o, opts...)
					if claim, ok := o.(*corev1.PersistentVolumeClaim); ok {
						change(claim, &err)
					}
					return err
				},
			})
			if w.executor.Apply.Live = through; !live {
				w.executor.Client, w.executor.Apply.Live = through, w.client
			}
			out, err := w.executor.Do(t.Context(), w.target, stop)
			behind := errors.As(err, new(*apply.BehindError))
			if live && !behind || !live && (err != nil || out.Reason != ops.ReasonClaimMissing) || len(w.writes) > 0 {
				t.Errorf("%s, live %v: %+v, %v, writes %v", name, live, out, err, w.writes)
			}
		}
	}
}

// A pod that was stopped stays so until its volume has grown, also when another one is not Ready any more: nothing but going on
// brings it back.
func TestAStoppedPodDoesNotWaitForTheOthers(t *testing.T) {
	w := newWorld(t)
	stop := ops.StopPod{Group: "perconaxtradb", Pod: "px-2"}
	for range 2 { // it is detached, then stopped
		w.do(t, stop)
	}
	ill := pod(1, "old", true)
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(ill), ill); err != nil {
		t.Fatal(err)
	}
	ill.Status.Conditions[0].Status = corev1.ConditionFalse
	if err := w.client.Status().Update(t.Context(), ill); err != nil {
		t.Fatal(err)
	}
	if out := w.do(t, stop); !out.IsDone() {
		t.Errorf("%+v", out)
	}
}

func TestNoCertificateIsChangedForARequestThatHasChanged(t *testing.T) {
	w := newTLSWorld(t, "", "one")
	w.target.Version = "1" // an older one
	_, err := w.do(issue)
	if !errors.As(err, new(*apply.BehindError)) || w.writes > 0 {
		t.Errorf("%v, %d writes", err, w.writes)
	}
}
