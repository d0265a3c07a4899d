package admit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	jsonpatch "github.com/evanphx/json-patch/v5"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/engines/singlestore"
	"github.com/drydock-db/drydock/internal/admit"
)

var (
	scheme = newScheme()
	sdb    = singlestore.New()
	pxc    = perconaxtradb.New()
)

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, cmv1.AddToScheme, catalogv1.AddToScheme,
		kubedbv1.AddToScheme, kubedbv1alpha2.AddToScheme, opsv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}

// world is a cluster as maps, so that a case can change it by merging.
type world []map[string]any

func loadWorld(t testing.TB) world {
	t.Helper()
	raw, err := os.ReadFile("testdata/world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var w world
	for _, doc := range bytes.Split(raw, []byte("\n---\n")) {
		object := map[string]any{}
		if err := yaml.Unmarshal(doc, &object); err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		w = append(w, object)
	}
	return append(w, claims("data-sdb-aggregator", 2, "1Gi", "singlestores", "sdb", "standard"),
		claims("data-sdb-aggregator", 1, "1Gi", "singlestores", "sdb", "standard"),
		claims("data-sdb-leaf", 2, "10Gi", "singlestores", "sdb", "standard"),
		claims("data-sdb-leaf", 1, "10Gi", "singlestores", "sdb", "standard"))
}

// claims makes the last of n claims.
func claims(prefix string, n int, size, resourceName, db, class string) map[string]any {
	claim := corev1.PersistentVolumeClaim{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("%s-%d", prefix, n-1), Namespace: "demo",
			Labels: map[string]string{engines.LabelName: resourceName + ".kubedb.com", engines.LabelInstance: db},
		},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
			},
		},
		Status: corev1.PersistentVolumeClaimStatus{
			Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
		},
	}
	raw, err := json.Marshal(claim)
	if err != nil {
		panic(err)
	}
	object := map[string]any{}
	if err := json.Unmarshal(raw, &object); err != nil {
		panic(err)
	}
	return object
}

// find returns the index of an object, or -1.
func (w world) find(kind, name string) int {
	return slices.IndexFunc(w, func(o map[string]any) bool {
		u := unstructured.Unstructured{Object: o}
		return u.GetKind() == kind && u.GetName() == name
	})
}

// with merges a change into an object, makes a new one, or removes it when the change says $remove.
func (w world) with(t testing.TB, change map[string]any) world {
	t.Helper()
	u := unstructured.Unstructured{Object: change}
	i := w.find(u.GetKind(), u.GetName())
	if change["$remove"] == true {
		if i < 0 {
			t.Fatalf("there is no %s %s to remove", u.GetKind(), u.GetName())
		}
		return slices.Delete(slices.Clone(w), i, i+1)
	}
	if i < 0 {
		return append(slices.Clone(w), change)
	}
	w = slices.Clone(w)
	w[i] = merge(t, w[i], change)
	return w
}

func merge(t testing.TB, base, change map[string]any) map[string]any {
	t.Helper()
	was, err := json.Marshal(base)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := json.Marshal(change)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := jsonpatch.MergePatch(was, patch)
	if err != nil {
		t.Fatal(err)
	}
	object := map[string]any{}
	if err := json.Unmarshal(merged, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func into[T any](t testing.TB, from map[string]any, object T) T {
	t.Helper()
	raw, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, object); err != nil {
		t.Fatal(err)
	}
	return object
}

// client serves the world as the operator's two readers.
func (w world) client(t testing.TB) client.Client {
	t.Helper()
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, o := range w {
		u := unstructured.Unstructured{Object: o}
		object, err := scheme.New(u.GroupVersionKind())
		if err != nil {
			t.Fatal(err)
		}
		typed, ok := into(t, o, object).(client.Object)
		if !ok {
			t.Fatalf("%T is no object", object)
		}
		if secret, ok := typed.(*corev1.Secret); ok && secret.Data == nil { // what the API server does
			secret.Data = map[string][]byte{}
			for key, value := range secret.StringData {
				secret.Data[key] = []byte(value)
			}
		}
		if db, ok := typed.(engines.Database); ok { // databases are stored defaulted
			engineOf(u.GetKind()).Default(db)
		}
		builder = builder.WithObjects(typed)
	}
	byDatabase := func(o client.Object) []string {
		r, ok := o.(engines.OpsRequest)
		if !ok {
			return nil
		}
		return []string{r.RequestSpec().DatabaseRef.Name}
	}
	for _, r := range []client.Object{&opsv1.SinglestoreOpsRequest{}, &opsv1.PerconaXtraDBOpsRequest{}} {
		builder = builder.WithIndex(r, admit.IndexDatabase, byDatabase)
	}
	return builder.WithInterceptorFuncs(interceptor.Funcs{Get: asClientGo}).Build()
}

// asClientGo makes an error of a name that fits into no URL, before anybody is asked.
func asClientGo(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if problems := content.IsPathSegmentName(key.Name); len(problems) > 0 {
		return fmt.Errorf("invalid resource name %q: %v", key.Name, problems)
	}
	return c.Get(ctx, key, o, opts...)
}

func engineOf(kind string) engines.Engine {
	if strings.HasPrefix(kind, "Singlestore") {
		return sdb
	}
	return pxc
}

const operator = "system:serviceaccount:drydock-system:drydock"

func (w world) admission(t testing.TB, deny ...string) *admit.Admission {
	t.Helper()
	return admission(w.client(t), deny...)
}

func admission(c client.Client, deny ...string) *admit.Admission {
	return admit.New(admit.Config{
		Reader: c, Access: rights{denied: deny}, Operator: operator, AllowedClusterIssuers: []string{"public"},
	})
}

// rights allows everything but what is denied: "verb resource name".
type rights struct{ denied []string }

func (r rights) Allowed(_ context.Context, _ authenticationv1.UserInfo, what authorizationv1.ResourceAttributes) (bool, error) {
	return !slices.Contains(r.denied, what.Verb+" "+what.Resource+" "+what.Name), nil
}

var alice = authenticationv1.UserInfo{Username: "alice", UID: "1", Groups: []string{"devs", "system:authenticated"}}
