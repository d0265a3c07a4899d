package webhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	jsonpatch "github.com/evanphx/json-patch/v5"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/engines/singlestore"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/webhooks"
)

var (
	scheme = newScheme()
	sdb    = singlestore.New()
	pxc    = perconaxtradb.New()
	alice  = authenticationv1.UserInfo{
		Username: "alice", UID: "1", Groups: []string{"devs", "system:authenticated"},
		Extra: map[string]authenticationv1.ExtraValue{"example.org/team": {"a", "b"}},
	}
)

const operator = "system:serviceaccount:drydock-system:drydock"

// Paths of the webhooks.
const (
	mutateSdb, validateSdb       = "/mutate-kubedb-com-v1alpha2-singlestore", "/validate-kubedb-com-v1alpha2-singlestore"
	mutatePxc, validatePxc       = "/mutate-kubedb-com-v1-perconaxtradb", "/validate-kubedb-com-v1-perconaxtradb"
	mutateSdbOps, validateSdbOps = "/mutate-ops-kubedb-com-v1alpha1-singlestoreopsrequest", "/validate-ops-kubedb-com-v1alpha1-singlestoreopsrequest"
	mutatePxcOps, validatePxcOps = "/mutate-ops-kubedb-com-v1alpha1-perconaxtradbopsrequest", "/validate-ops-kubedb-com-v1alpha1-perconaxtradbopsrequest"
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

// objects of the world that the admission examples use, too.
func objects(t testing.TB) []client.Object {
	t.Helper()
	raw, err := os.ReadFile("../internal/admit/testdata/world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []client.Object
	for _, doc := range bytes.Split(raw, []byte("\n---\n")) {
		var meta metav1.TypeMeta
		if err := yaml.Unmarshal(doc, &meta); err != nil {
			t.Fatal(err)
		}
		object, err := scheme.New(meta.GroupVersionKind())
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(doc, object); err != nil {
			t.Fatal(err)
		}
		if secret, ok := object.(*corev1.Secret); ok {
			secret.Data = map[string][]byte{}
			for key, value := range secret.StringData {
				secret.Data[key] = []byte(value)
			}
		}
		typed, ok := object.(client.Object)
		if !ok {
			t.Fatalf("%T", object)
		}
		all = append(all, typed)
	}
	return all
}

func newClient(t testing.TB, more ...client.Object) client.Client {
	t.Helper()
	byDatabase := func(o client.Object) []string {
		if r, ok := o.(engines.OpsRequest); ok {
			return []string{r.RequestSpec().DatabaseRef.Name}
		}
		return nil
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects(t)...).WithObjects(more...).
		WithIndex(&opsv1.SinglestoreOpsRequest{}, admit.IndexDatabase, byDatabase).
		WithIndex(&opsv1.PerconaXtraDBOpsRequest{}, admit.IndexDatabase, byDatabase).Build()
}

type rights struct{ denied []string }

func (r rights) Allowed(_ context.Context, _ authenticationv1.UserInfo, what authorizationv1.ResourceAttributes) (bool, error) {
	return !slices.Contains(r.denied, what.Verb+" "+what.Resource+" "+what.Name), nil
}

func newAdmission(c client.Client) *admit.Admission {
	return admit.New(admit.Config{Reader: c, Access: rights{}, Operator: operator})
}

// server is all webhooks as the API server sees them.
type server struct {
	t        testing.TB
	handlers map[string]http.Handler
	user     authenticationv1.UserInfo
}

func serve(t testing.TB, a *admit.Admission) server {
	return server{t, webhooks.Handlers([]engines.Engine{sdb, pxc}, a), alice}
}

func (s server) post(path string, body []byte) *httptest.ResponseRecorder {
	s.t.Helper()
	h, ok := s.handlers[path]
	if !ok {
		s.t.Fatalf("no webhook at %s", path)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	return w
}

// review asks about a new object, or about an edit when there is an old one.
func (s server) review(path string, object, old []byte, dryRun bool) *admissionv1.AdmissionResponse {
	s.t.Helper()
	w := s.post(path, s.body(object, old, dryRun))
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: status %d: %s", path, w.Code, w.Body)
	}
	var answer admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		s.t.Fatalf("%s: %v in %s", path, err, w.Body)
	}
	if answer.Kind != "AdmissionReview" || answer.APIVersion != "admission.k8s.io/v1" || answer.Response == nil || answer.Response.UID != "u-1" {
		s.t.Fatalf("%s: not an answer: %s", path, w.Body)
	}
	if !answer.Response.Allowed && (answer.Response.Result == nil || answer.Response.Result.Message == "" || answer.Response.Result.Code < 400) {
		s.t.Fatalf("%s: a refusal that says nothing: %s", path, w.Body)
	}
	return answer.Response
}

func (s server) body(object, old []byte, dryRun bool) []byte {
	operation := admissionv1.Create
	if old != nil {
		operation = admissionv1.Update
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
		"request": map[string]any{
			"uid": "u-1", "kind": metav1.GroupVersionKind{}, "resource": metav1.GroupVersionResource{}, "namespace": "demo",
			"operation": operation, "userInfo": s.user, "object": json.RawMessage(object), "oldObject": json.RawMessage(old), "dryRun": dryRun,
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return body
}

// apply does what the API server does with a patch.
func apply(t testing.TB, object []byte, r *admissionv1.AdmissionResponse) []byte {
	t.Helper()
	if len(r.Patch) == 0 {
		return object
	}
	p, err := jsonpatch.DecodePatch(r.Patch)
	if err != nil {
		t.Fatal(err)
	}
	patched, err := p.Apply(object)
	if err != nil {
		t.Fatalf("%v: %s on %s", err, r.Patch, object)
	}
	return patched
}

// stored is an object of the world as JSON.
func stored(t testing.TB, c client.Client, object client.Object, name string) []byte {
	t.Helper()
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: name}, object); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// edited changes a field of an object.
func edited(t testing.TB, object []byte, value any, path ...string) []byte {
	t.Helper()
	var u unstructured.Unstructured
	if err := json.Unmarshal(object, &u.Object); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(u.Object, value, path...); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(u.Object)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
