package controllers

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/internal/steps"
)

const namespace = "demo"

// world is a database px on a fake API server, and its controller.
type world struct {
	client     client.Client
	controller *Database
	// writes in order, for example "patch PerconaXtraDB px" or "delete Pod px-0".
	writes []string
	// fail answers the writes of that name.
	fail map[string]error
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, cmv1.AddToScheme, catalogv1.AddToScheme, kubedbv1.AddToScheme, opsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{fail: map[string]error{}}
	note := func(verb string, o client.Object) error {
		kind := fmt.Sprintf("%T", o)
		text := verb + " " + kind[strings.LastIndexByte(kind, '.')+1:] + " " + o.GetName()
		w.writes = append(w.writes, text)
		return w.fail[text]
	}
	byDatabase := func(o client.Object) []string {
		return []string{o.(*opsv1.PerconaXtraDBOpsRequest).Spec.DatabaseRef.Name}
	}
	w.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&kubedbv1.PerconaXtraDB{}, &opsv1.PerconaXtraDBOpsRequest{}).
		WithIndex(&corev1.Pod{}, steps.IndexWorkload, func(o client.Object) []string { return []string{steps.WorkloadOf(o.GetName())} }).
		WithIndex(&opsv1.PerconaXtraDBOpsRequest{}, admit.IndexDatabase, byDatabase).
		WithInterceptorFuncs(interceptor.Funcs{
			Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
				if err := note("delete", o); err != nil {
					return err
				}
				if all := (&client.DeleteOptions{}).ApplyOptions(opts); all.Preconditions == nil || all.Preconditions.UID == nil {
					return fmt.Errorf("deleting %s without a UID precondition", o.GetName())
				}
				return c.Delete(ctx, o)
			},
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				if err := note("patch", o); err != nil {
					return err
				}
				return c.Patch(ctx, o, p, opts...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, _ string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
				if err := note("patch status of", o); err != nil {
					return err
				}
				return c.Status().Patch(ctx, o, p, opts...)
			},
		}).Build()
	applier := &apply.Applier{Client: w.client, Live: w.client}
	cluster := &steps.Cluster{Client: w.client, Kind: perconaxtradb.New().Kind()}
	w.controller = &Database{
		Engine: perconaxtradb.New(), Client: w.client, Live: w.client, Apply: applier, Cluster: cluster,
		Executor: steps.NewExecutor(w.client, applier, cluster, time.Now),
		Journal:  &journal.Journal{Client: w.client, Now: time.Now}, Overtaken: Rests(),
	}
	return w
}

// reconcile makes one pass over px.
func (w *world) reconcile(t *testing.T) {
	t.Helper()
	if _, err := w.controller.Reconcile(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "px"}}); err != nil {
		t.Fatal(err)
	}
}

// get reads an object again.
func (w *world) get(t *testing.T, o client.Object) {
	t.Helper()
	if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		t.Fatal(err)
	}
}

func object(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func database() *kubedbv1.PerconaXtraDB {
	meta := object("px")
	meta.UID, meta.Finalizers = "db", []string{kubedbv1.Finalizer}
	return &kubedbv1.PerconaXtraDB{ObjectMeta: meta, Spec: kubedbv1.PerconaXtraDBSpec{
		Version: "8.0.40", Replicas: new(int32(3)), DeletionPolicy: kubedbv1.DeletionHalt,
	}}
}

// labelled has the labels of what belongs to px.
func labelled(name string) metav1.ObjectMeta {
	meta := object(name)
	meta.UID = types.UID("uid-of-" + name)
	meta.Labels = map[string]string{
		engines.LabelManagedBy: engines.ManagedBy, engines.LabelInstance: "px", engines.LabelName: "perconaxtradbs.kubedb.com",
	}
	return meta
}

func revisionOf(name string) *appsv1.ControllerRevision {
	return &appsv1.ControllerRevision{ObjectMeta: labelled(name), Revision: 1}
}
