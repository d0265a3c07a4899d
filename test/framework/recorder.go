package framework

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	toolswatch "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	petsetv1 "github.com/drydock-db/drydock/apis/apps/v1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
)

// recorded are the kinds that a Recorder watches.
var recorded = []func() client.ObjectList{
	func() client.ObjectList { return &corev1.PodList{} },
	func() client.ObjectList { return &corev1.PersistentVolumeClaimList{} },
	func() client.ObjectList { return &corev1.SecretList{} },
	func() client.ObjectList { return &corev1.ServiceList{} },
	func() client.ObjectList { return &appsv1.StatefulSetList{} },
	func() client.ObjectList { return &policyv1.PodDisruptionBudgetList{} },
	func() client.ObjectList { return &eventsv1.EventList{} },
	func() client.ObjectList { return &kubedbv1alpha2.SinglestoreList{} },
	func() client.ObjectList { return &kubedbv1.PerconaXtraDBList{} },
	func() client.ObjectList { return &opsv1.SinglestoreOpsRequestList{} },
	func() client.ObjectList { return &opsv1.PerconaXtraDBOpsRequestList{} },
	func() client.ObjectList { return &corev1.PersistentVolumeList{} }, // of all namespaces; others' are left out
}

// recorded are the kinds that are recorded in this lab.
func (l *Lab) recorded() []func() client.ObjectList {
	if l.PetSets {
		return append(slices.Clone(recorded), func() client.ObjectList { return &petsetv1.PetSetList{} })
	}
	return recorded
}

// Event is one watch event.
type Event struct {
	Type   watch.EventType
	Object client.Object
	// Version is the object's resource version. One etcd numbers all writes, so events of different kinds are in the
	// order of their versions, whenever they arrived here.
	Version uint64
	// Seen is when it arrived here.
	Seen time.Time
}

// Recorder keeps every watch event of a namespace.
type Recorder struct {
	namespace string
	cancel    context.CancelFunc
	watches   sync.WaitGroup

	mu     sync.Mutex
	events []Event
	latest map[key]client.Object
	byHand map[types.UID]bool
	sealed bool
	broken error
}

type key struct {
	kind reflect.Type
	name string
}

func keyOf(o client.Object) key { return key{reflect.TypeOf(o), o.GetName()} }

// record watches a namespace from that version on.
func (l *Lab) record(namespace, version string) (*Recorder, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Recorder{namespace: namespace, cancel: cancel, latest: map[key]client.Object{}, byHand: map[types.UID]bool{}}
	for _, list := range l.recorded() {
		w, err := toolswatch.NewRetryWatcherWithContext(ctx, version, watcher{l.Client, list, namespace})
		if err != nil {
			cancel()
			return nil, fmt.Errorf("watching namespace %s: %w", namespace, err)
		}
		r.watches.Go(func() { r.follow(w.ResultChan()) })
	}
	return r, nil
}

// watcher watches one kind in one namespace; volumes have none.
type watcher struct {
	client    client.WithWatch
	list      func() client.ObjectList
	namespace string
}

func (w watcher) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	list, options := w.list(), &client.ListOptions{Namespace: w.namespace, Raw: &o}
	if _, volumes := list.(*corev1.PersistentVolumeList); volumes {
		options.Namespace = ""
	}
	return w.client.Watch(ctx, list, options)
}

func (r *Recorder) follow(events <-chan watch.Event) {
	for e := range events {
		switch o := e.Object.(type) {
		case client.Object:
			if e.Type != watch.Bookmark && r.concerns(o) {
				r.add(e.Type, o)
			}
		default:
			r.fail(fmt.Errorf("a watch ended with %s: %v", e.Type, e.Object))
		}
	}
}

// concerns leaves out the volumes of other namespaces.
func (r *Recorder) concerns(o client.Object) bool {
	v, isVolume := o.(*corev1.PersistentVolume)
	return !isVolume || (v.Spec.ClaimRef != nil && v.Spec.ClaimRef.Namespace == r.namespace)
}

func (r *Recorder) add(kind watch.EventType, o client.Object) {
	version, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		r.fail(fmt.Errorf("%s has the resource version %q: %w", o.GetName(), o.GetResourceVersion(), err))
		return
	}
	o.SetManagedFields(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	if kind == watch.Deleted {
		delete(r.latest, keyOf(o))
	} else {
		r.latest[keyOf(o)] = o
	}
	if !r.sealed {
		r.events = append(r.events, Event{Type: kind, Object: o, Version: version, Seen: time.Now()})
	}
}

func (r *Recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil && !r.sealed {
		r.broken = err
	}
}

// Seal ends the story: what happens from now on is the cleaning up.
func (r *Recorder) Seal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = true
}

// Stop ends the watches.
func (r *Recorder) Stop() {
	r.Seal()
	r.cancel()
	r.watches.Wait()
}

// ByHand notes that the spec itself is about to delete that object, so that nobody else is blamed.
func (r *Recorder) ByHand(o client.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byHand[o.GetUID()] = true
}

// Latest returns a copy of the object as it was seen last, and whether there is one. It costs no request.
func Latest[T client.Object](r *Recorder, name string) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var none T
	o, ok := r.latest[key{reflect.TypeFor[T](), name}].(T)
	if !ok {
		return none, false
	}
	return o.DeepCopyObject().(T), true
}

// See returns a copy of that object as it was seen last, found by type and name; nil when there is none. It costs no
// request.
func (r *Recorder) See(like client.Object) client.Object {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.latest[keyOf(like)]
	if !ok {
		return nil
	}
	return o.DeepCopyObject().(client.Object)
}

// All returns copies of the objects of one type as they were seen last.
func All[T client.Object](r *Recorder) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []T
	for _, o := range r.latest {
		if t, ok := o.(T); ok {
			all = append(all, t.DeepCopyObject().(T))
		}
	}
	return all
}

// Len is the number of events so far.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.events)
}
