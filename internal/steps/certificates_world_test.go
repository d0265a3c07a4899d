package steps

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/certs"
	"github.com/drydock-db/drydock/certs/certstest"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/internal/apply"
	"github.com/drydock-db/drydock/internal/journal"
	"github.com/drydock-db/drydock/ops"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var aliases = []string{"server", "client", "metrics-exporter"}

// tlsWorld is a database px on a fake API server with a stand-in for cert-manager.
type tlsWorld struct {
	*testing.T
	client   client.Client
	executor *Executor
	target   *Target
	// triggers counts the issuances that were asked for, writes everything that was written by the executor.
	triggers, writes int
	made             int
	// down fails every write from now on: the operator is dead.
	down error
}

func spec(issuer string) string {
	if issuer == "" {
		return `{"version":"8.0.40"}`
	}
	return `{"version":"8.0.40","tls":{"issuerRef":{"apiGroup":"cert-manager.io","kind":"Issuer","name":"` + issuer + `"}}}`
}

func newTLSWorld(t *testing.T, before, after string, objects ...client.Object) *tlsWorld {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, kubedbv1.AddToScheme, opsv1.AddToScheme, cmv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &tlsWorld{T: t}
	count := func() error { w.writes++; return w.down }
	w.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(append(objects, database(), request("r", "0123456789"), request("r2", "abcdefghij"))...).
		WithStatusSubresource(&kubedbv1.PerconaXtraDB{}, &cmv1.Certificate{}).
		WithIndex(&corev1.Pod{}, IndexWorkload, func(o client.Object) []string { return []string{WorkloadOf(o.GetName())} }).
		WithInterceptorFuncs(interceptor.Funcs{
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
				if _, ok := o.(*cmv1.Certificate); ok {
					w.triggers++
				}
				if err := count(); err != nil {
					return err
				}
				return c.SubResource(sub).Patch(ctx, o, p, opts...)
			},
			Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
				if err := count(); err != nil {
					return err
				}
				if err := c.Apply(ctx, o, opts...); err != nil {
					return err
				}
				return w.generation(ctx, c, o)
			},
			Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
				if err := count(); err != nil {
					return err
				}
				return c.Create(ctx, o, opts...)
			},
			Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
				all := (&client.DeleteOptions{}).ApplyOptions(opts)
				if all.Preconditions == nil || all.Preconditions.UID == nil {
					w.Errorf("%s is deleted without a UID precondition", o.GetName())
				}
				if err := count(); err != nil {
					return err
				}
				return c.Delete(ctx, o)
			},
		}).Build()
	applier := &apply.Applier{Client: w.client, Live: w.client}
	w.executor = NewExecutor(w.client, applier, &Cluster{Client: w.client, Kind: perconaxtradb.New().Kind()}, func() time.Time { return noon })
	w.target = &Target{
		Engine: perconaxtradb.New(), Side: ops.After, Version: requestVersion,
		Request: ops.Request{Kind: "PerconaXtraDBOpsRequest", Name: "r", UID: "0123456789", Database: "px", Type: opsv1.ReconfigureTLS},
		Saved: &Saved{
			Request:  "0123456789",
			Topology: ops.Topology{Database: "px", Groups: []ops.Group{{Name: "perconaxtradb", Workload: "px", Replicas: 3}}},
			Before:   State{Spec: []byte(spec(before)), Workloads: map[string]*appsv1.StatefulSet{"perconaxtradb": mounting("")}},
			After:    State{Spec: []byte(spec(after)), Workloads: map[string]*appsv1.StatefulSet{"perconaxtradb": mounting(certs.PendingCopy("px"))}},
			TLS:      &TLS{Certificates: aliases, Adds: before == "", Records: map[string]certs.Record{}},
		},
	}
	return w
}

// generation does what the fake API server leaves out: UIDs and generations.
func (w *tlsWorld) generation(ctx context.Context, c client.WithWatch, applied runtime.ApplyConfiguration) error {
	o, ok := applied.(interface {
		GetKind() string
		GetName() string
	})
	var live cmv1.Certificate
	if !ok || o.GetKind() != cmv1.CertificateKind {
		return nil
	}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: o.GetName()}, &live); err != nil {
		return err
	}
	w.made++
	if live.Generation++; live.UID == "" {
		live.UID = types.UID(fmt.Sprintf("certificate-%d", w.made))
	}
	return c.Update(ctx, &live)
}

// mounting is a workload whose pods mount that copy.
func mounting(secret string) *appsv1.StatefulSet {
	set := workload("hash-of-" + secret)
	if secret != "" {
		set.Spec.Template.Spec.Volumes = append(set.Spec.Template.Spec.Volumes, corev1.Volume{
			Name: "tls-server-config", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}},
		})
	}
	return set
}

// do makes one pass, by an operator that remembers nothing of the ones before.
func (w *tlsWorld) do(a ops.Action) (ops.Outcome, error) {
	w.Helper()
	var db kubedbv1.PerconaXtraDB
	if err := w.client.Get(w.Context(), client.ObjectKey{Namespace: namespace, Name: "px"}, &db); err != nil {
		w.Fatal(err)
	}
	j := &journal.Journal{Client: w.client, Now: func() time.Time { return noon }}
	w.target.Database = j.OpenDatabase(&db)
	w.target.Saved.Copies = nil
	return w.executor.Do(w.Context(), w.target, a)
}

func (w *tlsWorld) must(a ops.Action, want ops.Status) ops.Outcome {
	w.Helper()
	out, err := w.do(a)
	if err != nil {
		w.Fatalf("%T: %v", a, err)
	}
	if out.Status != want {
		w.Fatalf("%T: %+v, want %s", a, out, want)
	}
	return out
}

func (w *tlsWorld) get(name string, into client.Object) bool {
	w.Helper()
	err := w.client.Get(w.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into)
	if client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	return err == nil
}

// records are taken as the controller takes them when an operation begins.
func (w *tlsWorld) records(reissue bool) {
	w.Helper()
	for _, alias := range aliases {
		var c cmv1.Certificate
		r := certs.Record{Reissue: reissue}
		if w.get(certs.Name("px", alias), &c) {
			r = certs.RecordOf(&c)
			r.Reissue = reissue
		}
		w.target.Saved.TLS.Records[alias] = r
	}
}

func (w *tlsWorld) copyData(name string) map[string][]byte {
	w.Helper()
	var secret corev1.Secret
	if !w.get(name, &secret) {
		w.Fatalf("there is no Secret %s", name)
	}
	return secret.Data
}

func trusts(data map[string][]byte, a certstest.Authority) bool {
	return bytes.Contains(data["ca.crt"], a.PEM())
}
