// Package fakekubelet pretends to be the kubelets, the storage and the databases of a cluster of fake
// nodes: pods become ready or fail as their configuration and the faults asked for say, claims get volumes
// and grow. What happens is decided by pure functions (DecidePod, DecideClaim); this file and its
// neighbours fetch the facts and carry the decisions out.
//
// It exists because KWOK's pod stages delete terminating pods by name, without a UID precondition: with a
// StatefulSet's stable names that deletes the successor now and then.
package fakekubelet

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
)

// Workers per loop. They are bound by the API server's answers, not by this process.
const podWorkers, claimWorkers, volumeWorkers = 32, 16, 4

// Kubelet serves all fake nodes of a cluster.
type Kubelet struct {
	client kubernetes.Interface
	delays Delays
	now    func() time.Time

	informers []cache.SharedIndexInformer
	podIndex  cache.Indexer
	pods      corelisters.PodLister
	nodes     corelisters.NodeLister
	secrets   corelisters.SecretLister
	configs   corelisters.ConfigMapLister
	claims    corelisters.PersistentVolumeClaimLister
	volumes   corelisters.PersistentVolumeLister
	classes   storagelisters.StorageClassLister

	podLoop    *loop[types.NamespacedName]
	claimLoop  *loop[types.NamespacedName]
	volumeLoop *loop[string]

	podMemory   *ledger[types.UID, PodMemory]
	claimMemory *ledger[types.UID, ClaimMemory]
	rules       *ledger[string, parsedRules] // by namespace
	attempts    *ledger[string, attempts]    // by volume
	addresses   *addresses
}

// New returns a Kubelet that does nothing until Run.
func New(client kubernetes.Interface, delays Delays) (*Kubelet, error) {
	k := &Kubelet{
		client: client, delays: delays, now: time.Now,
		podMemory: newLedger[types.UID, PodMemory](), claimMemory: newLedger[types.UID, ClaimMemory](),
		rules: newLedger[string, parsedRules](), attempts: newLedger[string, attempts](), addresses: &addresses{},
	}
	k.podLoop = newLoop("pod", k.syncPod)
	k.claimLoop = newLoop("claim", k.syncClaim)
	k.volumeLoop = newLoop("volume", k.syncVolume)

	bound := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(slim),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermNotEqualSelector("spec.nodeName", "").String()
		}))
	all := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(slim))
	pods, core := bound.Core().V1().Pods(), all.Core().V1()
	k.pods, k.podIndex = pods.Lister(), pods.Informer().GetIndexer()
	k.nodes, k.secrets, k.configs = core.Nodes().Lister(), core.Secrets().Lister(), core.ConfigMaps().Lister()
	k.claims, k.volumes = core.PersistentVolumeClaims().Lister(), core.PersistentVolumes().Lister()
	k.classes = all.Storage().V1().StorageClasses().Lister()

	if err := pods.Informer().AddIndexers(cache.Indexers{byClaim: indexByClaim, waitingIn: indexWaiting}); err != nil {
		return nil, fmt.Errorf("index pods: %w", err)
	}
	return k, k.watch(map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods.Informer():                                onChange(k.podChanged, k.podGone),
		core.Nodes().Informer():                        onChange(k.nodeChanged, nil),
		core.Secrets().Informer():                      onChange(k.secretChanged, nil),
		core.ConfigMaps().Informer():                   onChange(k.configMapChanged, k.configMapChanged),
		core.PersistentVolumeClaims().Informer():       onChange(k.claimChanged, k.claimGone),
		core.PersistentVolumes().Informer():            onChange(k.volumeChanged, nil),
		all.Storage().V1().StorageClasses().Informer(): onChange(k.classChanged, nil),
	})
}

func (k *Kubelet) watch(handlers map[cache.SharedIndexInformer]cache.ResourceEventHandler) error {
	for informer, handler := range handlers {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		k.informers = append(k.informers, informer)
	}
	return nil
}

// Run works until ctx ends. ready is called once, when the caches are full.
func (k *Kubelet) Run(ctx context.Context, ready func()) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	synced := make([]cache.InformerSynced, 0, len(k.informers))
	for _, informer := range k.informers {
		wg.Go(func() { informer.Run(ctx.Done()) })
		synced = append(synced, informer.HasSynced)
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return fmt.Errorf("fill the caches: %w", context.Cause(ctx))
	}
	pods, err := k.pods.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	k.addresses.startAbove(pods)
	wg.Go(func() { k.podLoop.run(ctx, podWorkers) })
	wg.Go(func() { k.claimLoop.run(ctx, claimWorkers) })
	wg.Go(func() { k.volumeLoop.run(ctx, volumeWorkers) })
	ready()
	<-ctx.Done()
	return nil
}

// Index names: pods by the claims they mount ("namespace/claim"), and pods whose containers do not all
// run, by namespace: only those care about Secrets, ConfigMaps and claims.
const (
	byClaim   = "claim"
	waitingIn = "waiting"
)

func indexByClaim(o any) ([]string, error) {
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return nil, nil
	}
	keys := claimNames(pod)
	for i := range keys {
		keys[i] = pod.Namespace + "/" + keys[i]
	}
	return keys, nil
}

func indexWaiting(o any) ([]string, error) {
	pod, ok := o.(*corev1.Pod)
	if !ok || running(pod) {
		return nil, nil
	}
	return []string{pod.Namespace}, nil
}

// slim drops what is never read and takes half of the memory.
func slim(o any) (any, error) {
	if object, err := meta.Accessor(o); err == nil {
		object.SetManagedFields(nil)
	}
	return o, nil
}

// onChange makes a handler of two functions: additions and updates are the same thing here.
func onChange[T any](changed, gone func(T)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { changed(o.(T)) },
		UpdateFunc: func(_, o any) { changed(o.(T)) },
		DeleteFunc: func(o any) {
			if unknown, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = unknown.Obj
			}
			if object, ok := o.(T); ok && gone != nil {
				gone(object)
			}
		},
	}
}
