package serving

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/drydock-db/drydock/certs"
)

const host = "drydock-webhook.drydock-system.svc"

func mutating() *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: DefaultMutating},
		Webhooks:   []admissionregistrationv1.MutatingWebhook{{Name: "a.example.org"}, {Name: "b.example.org"}},
	}
}

func validating() *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: DefaultValidating},
		Webhooks:   []admissionregistrationv1.ValidatingWebhook{{Name: "a.example.org"}},
	}
}

func cluster(objects ...client.Object) client.WithWatch {
	return fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithObjects(objects...).Build()
}

func replica(c client.WithWatch) *Serving {
	return New(Options{
		Client: c, Namespace: "drydock-system", SecretName: DefaultSecret, ServiceName: "drydock-webhook",
		Hosts: []string{"127.0.0.1"}, MutatingName: DefaultMutating, ValidatingName: DefaultValidating,
	})
}

// bundles returns every caBundle of the cluster.
func bundles(t *testing.T, c client.Client) [][]byte {
	t.Helper()
	m, v := mutating(), validating()
	for _, o := range []client.Object{m, v} {
		if err := c.Get(context.Background(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Fatal(err)
		}
	}
	return [][]byte{m.Webhooks[0].ClientConfig.CABundle, m.Webhooks[1].ClientConfig.CABundle, v.Webhooks[0].ClientConfig.CABundle}
}

// check calls the replica as an API server would that has each of the bundles.
func check(t *testing.T, s *Serving, c client.Client) {
	t.Helper()
	leaf, err := s.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	all := bundles(t, c)
	slices.SortFunc(all, bytes.Compare)
	for _, bundle := range slices.CompactFunc(all, bytes.Equal) {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(bundle)
		for _, name := range []string{host, "127.0.0.1"} {
			if _, err := leaf.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: time.Now()}); err != nil {
				t.Fatalf("at %s: %v", time.Now(), err)
			}
		}
	}
	if err := s.Ready(nil); err != nil {
		t.Error(err)
	}
}

func TestEnsure(t *testing.T) {
	c := cluster(mutating(), validating())
	s := replica(c)
	if err := s.Ready(nil); err == nil {
		t.Error("ready before there is a certificate")
	}
	if err := s.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, s, c)
	secret := &corev1.Secret{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "drydock-system", Name: DefaultSecret}, secret); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(secret.Data[keyBundle], bundles(t, c)[0]) {
		t.Error("ca.crt in the Secret is not what was injected")
	}
}

func TestSecondReplicaWritesNothing(t *testing.T) {
	c := cluster(mutating(), validating())
	if err := replica(c).Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	written := errors.New("a write")
	quiet := interceptor.NewClient(c, interceptor.Funcs{
		Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return written },
		Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error { return written },
		Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
			return written
		},
	})
	s := replica(quiet)
	if err := s.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, s, c)
}

// TestRace has a second replica do all its work between any two steps of the first.
func TestRace(t *testing.T) {
	for step := range 8 {
		c := cluster(mutating(), validating())
		second := replica(c)
		calls := 0
		interrupt := func() {
			if calls++; calls == step {
				if err := second.Ensure(context.Background()); err != nil {
					t.Error(err)
				}
			}
		}
		first := replica(interceptor.NewClient(c, interceptor.Funcs{
			Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
				interrupt()
				return c.Get(ctx, key, o, opts...)
			},
			Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
				interrupt()
				return c.Create(ctx, o, opts...)
			},
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				interrupt()
				return c.Patch(ctx, o, p, opts...)
			},
		}))
		if err := first.Ensure(t.Context()); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if err := second.Ensure(t.Context()); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		check(t, first, c)
		check(t, second, c)
	}
}

func TestManyReplicasAtOnce(t *testing.T) {
	c := cluster(mutating(), validating())
	replicas := []*Serving{replica(c), replica(c), replica(c), replica(c)}
	var all sync.WaitGroup
	for _, s := range replicas {
		all.Go(func() {
			if err := s.Ensure(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, s := range replicas {
		check(t, s, c)
	}
}

// TestYears runs two replicas for a year and a half of simulated time, with an API server that fails now and then,
// and calls each of them every 17 hours: the certificate that is served is always trusted by what is configured, over
// two changes of the authority and more than a hundred of the leaf.
func TestYears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cluster(mutating(), validating())
		random := rand.New(rand.NewPCG(1, 2))
		var lock sync.Mutex
		flaky := func() error {
			lock.Lock()
			defer lock.Unlock()
			if random.IntN(10) == 0 {
				return errors.New("the API server is not well")
			}
			return nil
		}
		ctx, stop := context.WithCancel(t.Context())
		var replicas []*Serving
		var running sync.WaitGroup
		for range 2 {
			s := replica(interceptor.NewClient(c, interceptor.Funcs{
				Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
					return errors.Join(flaky(), c.Get(ctx, key, o, opts...))
				},
				Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
					if err := flaky(); err != nil {
						return err
					}
					return c.Patch(ctx, o, p, opts...)
				},
			}))
			replicas = append(replicas, s)
			running.Go(func() {
				if err := s.Start(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(10 * time.Minute) // a flaky first start
		seen := map[string]bool{}
		for end := time.Now().Add(certs.AuthorityLife * 3 / 2); time.Now().Before(end); time.Sleep(17 * time.Hour) {
			synctest.Wait()
			for _, s := range replicas {
				check(t, s, c)
				leaf, _ := s.GetCertificate(nil)
				seen[string(leaf.Leaf.AuthorityKeyId)] = true
			}
		}
		if len(seen) < 3 {
			t.Errorf("leaves of %d authorities were served, want 3 or more", len(seen))
		}
		stop()
		running.Wait()
	})
}

// TestRepair is about what people do: delete and recreate a configuration, damage or delete the Secret.
func TestRepair(t *testing.T) {
	for name, harm := range map[string]func(context.Context, client.Client) error{
		"configuration made anew": func(ctx context.Context, c client.Client) error {
			return errors.Join(c.Delete(ctx, mutating()), c.Create(ctx, mutating()))
		},
		"secret damaged": func(ctx context.Context, c client.Client) error {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "drydock-system", Name: DefaultSecret}}
			patch := client.RawPatch("application/merge-patch+json", []byte(`{"data":{"authorities.pem":"YQ=="}}`))
			return errors.Join(c.Patch(ctx, secret, patch), c.Delete(ctx, validating()), c.Create(ctx, validating()))
		},
		"secret deleted": func(ctx context.Context, c client.Client) error {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "drydock-system", Name: DefaultSecret}}
			return errors.Join(c.Delete(ctx, secret), c.Delete(ctx, validating()), c.Create(ctx, validating()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := cluster(mutating(), validating())
				ctx, stop := context.WithCancel(t.Context())
				var running sync.WaitGroup
				replicas := []*Serving{replica(c), replica(c)}
				for _, s := range replicas {
					running.Go(func() { _ = s.Start(ctx) })
				}
				time.Sleep(time.Minute)
				if err := harm(ctx, c); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				for _, s := range replicas {
					check(t, s, c)
				}
				stop()
				running.Wait()
			})
		})
	}
}
