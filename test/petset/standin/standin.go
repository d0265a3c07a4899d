// Package standin runs the pods of PetSets in the lab, in the place of the real controller: as much of what a
// StatefulSet's controller does as operations rely on, and nothing else.
//
// It knows Parallel and OnDelete only. Pods have ordinals, labels and claims as a StatefulSet's do; the update revision
// is the hash of the template, so that a set which is made again around its pods finds them up to date.
package standin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
)

// Controller is the stand-in.
type Controller struct {
	client.Client
	// Live reads from the API server.
	Live client.Reader
}

// Start runs the stand-in until the context ends. It returns when its caches are filled.
func Start(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) error {
	mgr, err := ctrl.NewManager(rest.CopyConfig(config), ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		return fmt.Errorf("making the stand-in: %w", err)
	}
	c := &Controller{Client: mgr.GetClient(), Live: mgr.GetAPIReader()}
	if err := ctrl.NewControllerManagedBy(mgr).Named("petset-standin").
		For(&petsetv1.PetSet{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(setOf)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 8, SkipNameValidation: new(true)}).
		Complete(c); err != nil {
		return fmt.Errorf("setting the stand-in up: %w", err)
	}
	failed := make(chan error, 1)
	go func() { failed <- mgr.Start(ctx) }()
	select {
	case err := <-failed:
		return fmt.Errorf("running the stand-in: %w", err)
	case <-mgr.Elected():
		mgr.GetCache().WaitForCacheSync(ctx)
		return nil
	}
}

// Known returns when Kubernetes' controllers know of PetSets, for which they look every half minute: a set that is deleted
// around its pods goes once the garbage collector has seen to it. It tries that in a namespace, and gives up after patience.
func Known(ctx context.Context, c client.Client, namespace string, patience time.Duration) error {
	set := &petsetv1.PetSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "known-"}}
	set.Spec.Selector, set.Spec.ServiceName, set.Spec.Replicas = &metav1.LabelSelector{}, "known", new(int32)
	if err := c.Create(ctx, set); err != nil {
		return fmt.Errorf("making a PetSet: %w", err)
	}
	if err := c.Delete(ctx, set, client.PropagationPolicy(metav1.DeletePropagationOrphan)); err != nil {
		return fmt.Errorf("deleting PetSet %s: %w", set.Name, err)
	}
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(set), set)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		return fmt.Errorf("the garbage collector does not see to PetSets: %w", err)
	}
	return nil
}

// setOf finds the set of a pod by its name: a pod of a set that was deleted around it has no owner.
func setOf(_ context.Context, o client.Object) []reconcile.Request {
	i := strings.LastIndexByte(o.GetName(), '-')
	if i <= 0 {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()[:i]}}}
}

// Reconcile makes one pass over a set.
func (c *Controller) Reconcile(ctx context.Context, r ctrl.Request) (ctrl.Result, error) {
	var set petsetv1.PetSet
	if err := c.Get(ctx, r.NamespacedName, &set); err != nil || set.DeletionTimestamp != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	pods, err := c.pods(ctx, &set)
	if err != nil {
		return ctrl.Result{}, err
	}
	revision, err := Revision(&set)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := c.scale(ctx, &set, pods, revision); err != nil {
		return ctrl.Result{}, err
	}
	err = c.report(ctx, &set, pods, revision)
	if apierrors.IsConflict(err) {
		return ctrl.Result{}, nil // the newer set is on its way
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}

// scale makes the pods that are missing and deletes those that are too many, all at once.
func (c *Controller) scale(ctx context.Context, set *petsetv1.PetSet, pods map[int32]*corev1.Pod, revision string) error {
	for ordinal := range replicas(set) {
		if pods[ordinal] == nil {
			if err := c.create(ctx, set, ordinal, revision); err != nil {
				return err
			}
		}
	}
	for ordinal, pod := range pods {
		if ordinal >= replicas(set) && pod.DeletionTimestamp == nil {
			if err := c.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}); client.IgnoreNotFound(err) != nil {
				return err
			}
		}
	}
	return nil
}

// pods returns the set's pods by ordinal, and adopts those that have no owner.
func (c *Controller) pods(ctx context.Context, set *petsetv1.PetSet) (map[int32]*corev1.Pod, error) {
	selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
	if err != nil {
		return nil, err
	}
	var list corev1.PodList
	if err := c.List(ctx, &list, client.InNamespace(set.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, err
	}
	pods := map[int32]*corev1.Pod{}
	for i := range list.Items {
		pod := &list.Items[i]
		ordinal, ours := ordinalIn(set, pod.Name)
		if !ours {
			continue
		}
		if metav1.GetControllerOf(pod) == nil && pod.DeletionTimestamp == nil {
			if err := c.adopt(ctx, set, pod); err != nil {
				return nil, err
			}
		}
		if owner := metav1.GetControllerOf(pod); owner == nil || owner.UID == set.UID || pod.DeletionTimestamp != nil {
			pods[ordinal] = pod
		}
	}
	return pods, nil
}

// lives reads the set once more: one that is being deleted around its pods must neither take them back nor replace one.
func (c *Controller) lives(ctx context.Context, set *petsetv1.PetSet) (bool, error) {
	var live petsetv1.PetSet
	err := c.Live.Get(ctx, client.ObjectKeyFromObject(set), &live)
	return err == nil && live.UID == set.UID && live.DeletionTimestamp == nil, client.IgnoreNotFound(err)
}

// adopt makes the set the controller of a pod.
func (c *Controller) adopt(ctx context.Context, set *petsetv1.PetSet, pod *corev1.Pod) error {
	if lives, err := c.lives(ctx, set); err != nil || !lives {
		return err
	}
	before := pod.DeepCopy()
	pod.OwnerReferences = append(pod.OwnerReferences, owner(set))
	return client.IgnoreNotFound(c.Patch(ctx, pod, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})))
}

// create makes a pod and the claims that it lacks. In a namespace that is going there is nothing to make.
func (c *Controller) create(ctx context.Context, set *petsetv1.PetSet, ordinal int32, revision string) error {
	if lives, err := c.lives(ctx, set); err != nil || !lives {
		return err
	}
	pod := Pod(set, ordinal, revision)
	objects := make([]client.Object, 0, len(set.Spec.VolumeClaimTemplates)+1)
	for i := range set.Spec.VolumeClaimTemplates {
		objects = append(objects, Claim(set, &set.Spec.VolumeClaimTemplates[i], pod.Name))
	}
	for _, o := range append(objects, pod) {
		err := c.Create(ctx, o)
		if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return nil
		}
		if client.IgnoreAlreadyExists(err) != nil {
			return fmt.Errorf("making %s: %w", o.GetName(), err)
		}
	}
	return nil
}

// report writes the status, as a StatefulSet has it, if it is another than before.
func (c *Controller) report(ctx context.Context, set *petsetv1.PetSet, pods map[int32]*corev1.Pod, revision string) error {
	status := appsv1.StatefulSetStatus{
		ObservedGeneration: set.Generation, UpdateRevision: revision, CollisionCount: set.Status.CollisionCount,
		CurrentRevision: cmp.Or(set.Status.CurrentRevision, revision),
	}
	for _, pod := range pods {
		status.Replicas++
		if ready(pod) {
			status.ReadyReplicas++
			status.AvailableReplicas++
		}
		if pod.Labels[appsv1.StatefulSetRevisionLabel] == revision && pod.DeletionTimestamp == nil {
			status.UpdatedReplicas++
		}
	}
	if equality.Semantic.DeepEqual(status, set.Status) {
		return nil
	}
	set.Status = status
	return c.Status().Update(ctx, set)
}

// ordinalIn reads a pod's ordinal from its name.
func ordinalIn(set *petsetv1.PetSet, pod string) (int32, bool) {
	suffix, ours := strings.CutPrefix(pod, set.Name+"-")
	ordinal, err := strconv.ParseInt(suffix, 10, 32)
	return int32(ordinal), ours && err == nil
}

func replicas(set *petsetv1.PetSet) int32 {
	if set.Spec.Replicas == nil {
		return 1
	}
	return *set.Spec.Replicas
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
