package webhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/internal/admit"
)

// warm answers as a warm cache that hands out its own objects does; the fake client would be all that is measured.
type warm struct {
	db      *kubedbv1alpha2.Singlestore
	version *catalogv1.SinglestoreVersion
}

func (w warm) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch o := into.(type) {
	case *kubedbv1alpha2.Singlestore:
		*o = *w.db
	case *catalogv1.SinglestoreVersion:
		*o = *w.version
	default:
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	return nil
}

func (w warm) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

// nowhere is a connection that nobody listens at.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// SetReadDeadline is what a connection has.
func (n nowhere) SetReadDeadline(time.Time) error { return nil }

const reconfigure = `{"apiVersion":"ops.kubedb.com/v1alpha1","kind":"SinglestoreOpsRequest","metadata":{"name":"r","namespace":"demo","labels":{"app":"shop"}},` +
	`"spec":{"type":"Reconfigure","databaseRef":{"name":"sdb"},"timeout":"10m","configuration":{"aggregator":{"applyConfig":{"sdb-apply.cnf":"max_connections = 550\n"}}}}}`

func benchmark(b *testing.B, path string, object, old []byte) {
	c := newClient(b)
	w := warm{db: &kubedbv1alpha2.Singlestore{}, version: &catalogv1.SinglestoreVersion{}}
	if err := json.Unmarshal(stored(b, c, w.db, "sdb"), w.db); err != nil {
		b.Fatal(err)
	}
	if err := c.Get(b.Context(), client.ObjectKey{Name: "8.9.3"}, w.version); err != nil {
		b.Fatal(err)
	}
	s := serve(b, admit.New(admit.Config{Reader: w, Access: rights{}, Operator: operator}))
	if path == validateSdbOps {
		object = apply(b, object, s.review(mutateSdbOps, object, nil, false))
		if old != nil {
			old = object
			object = edited(b, object, "b", "metadata", "labels", "a")
		}
		if verdict := s.review(path, object, old, false); !verdict.Allowed {
			b.Fatal(verdict.Result)
		}
	}
	body := s.body(object, old, false)
	h, header := s.handlers[path], http.Header{"Content-Type": {"application/json"}}
	reader := bytes.NewReader(body)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, path, io.NopCloser(reader))
	if err != nil {
		b.Fatal(err)
	}
	r.Header = header
	out := nowhere{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		h.ServeHTTP(out, r)
	}
}

func BenchmarkAdmitCreate(b *testing.B) { benchmark(b, validateSdbOps, []byte(reconfigure), nil) }

func BenchmarkAdmitRestart(b *testing.B) { benchmark(b, validateSdbOps, []byte(restart), nil) }

func BenchmarkAdmitUpdate(b *testing.B) {
	benchmark(b, validateSdbOps, []byte(reconfigure), []byte(reconfigure))
}

func BenchmarkDefaultCreate(b *testing.B) { benchmark(b, mutateSdbOps, []byte(reconfigure), nil) }

func BenchmarkDefaultUpdate(b *testing.B) {
	benchmark(b, mutateSdbOps, []byte(reconfigure), []byte(reconfigure))
}
