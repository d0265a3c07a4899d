package admit_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// request makes a request about a database, stamped by alice.
func request(t *testing.T, e engines.Engine, spec map[string]any) engines.OpsRequest {
	t.Helper()
	r := into(t, map[string]any{"spec": spec}, e.Kind().NewRequest())
	r.SetNamespace("demo")
	if err := admit.StampRequester(r, alice); err != nil {
		t.Fatal(err)
	}
	return r
}

var addTLS = map[string]any{"type": "ReconfigureTLS", "databaseRef": map[string]any{"name": "sdb"},
	"tls": map[string]any{"issuerRef": map[string]any{"kind": "Issuer", "name": "ca"}}}

func TestCertManagerNotInstalled(t *testing.T) {
	c := interceptor.NewClient(withWatch(t, loadWorld(t).client(t)), interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if _, ok := o.(*cmv1.Issuer); ok {
				return &meta.NoKindMatchError{GroupKind: cmv1.SchemeGroupVersion.WithKind("Issuer").GroupKind()}
			}
			return w.Get(ctx, key, o, opts...)
		},
	})
	a := admit.New(admit.Config{Reader: c, Access: rights{}})
	v, err := a.Request(t.Context(), sdb, request(t, sdb, addTLS), nil, alice)
	want := `spec.tls.issuerRef.kind: Invalid value: "Issuer": cert-manager, which issues all certificates, was not there when the operator started: install it, then restart the operator`
	if err != nil || len(v.Errors) != 1 || v.Errors[0].Error() != want {
		t.Error(v.Errors, err)
	}
}

// TestNoFactNoAnswer: when something cannot be found out, nothing is decided.
func TestNoFactNoAnswer(t *testing.T) {
	away := errors.New("the API server is away")
	for reads := range 12 {
		left := reads
		fail := func() error {
			if left--; left < 0 {
				return away
			}
			return nil
		}
		c := interceptor.NewClient(withWatch(t, loadWorld(t).client(t)), interceptor.Funcs{
			Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
				if err := fail(); err != nil {
					return err
				}
				return w.Get(ctx, key, o, opts...)
			},
			List: func(ctx context.Context, w client.WithWatch, o client.ObjectList, opts ...client.ListOption) error {
				if err := fail(); err != nil {
					return err
				}
				return w.List(ctx, o, opts...)
			},
		})
		a := admit.New(admit.Config{Reader: c, Access: rights{}})
		for _, spec := range []map[string]any{addTLS,
			{"type": "VolumeExpansion", "databaseRef": map[string]any{"name": "sdb"}, "volumeExpansion": map[string]any{"mode": "Online", "leaf": "11Gi"}},
			{"type": "Reconfigure", "databaseRef": map[string]any{"name": "sdb"}, "configuration": map[string]any{"leaf": map[string]any{"configSecret": map[string]any{"name": "good"}}}},
		} {
			left = reads
			v, err := a.Request(t.Context(), sdb, request(t, sdb, spec), nil, alice)
			if left < 0 && !errors.Is(err, away) {
				t.Errorf("%s, %d reads: %v %v", spec["type"], reads, v, err)
			}
		}
	}
}

func withWatch(t *testing.T, c client.Client) client.WithWatch {
	t.Helper()
	w, ok := c.(client.WithWatch)
	if !ok {
		t.Fatalf("%T", c)
	}
	return w
}

// TestBehindCaches: what was applied a moment before is not said to be missing, nor a database to be halted that is not any more.
func TestBehindCaches(t *testing.T) {
	live := loadWorld(t)
	grow := map[string]any{"type": "VolumeExpansion", "databaseRef": map[string]any{"name": "sdb"}, "volumeExpansion": map[string]any{"mode": "Online", "leaf": "11Gi"}}
	for name, c := range map[string]struct {
		behind map[string]any
		spec   map[string]any
	}{
		"database": {map[string]any{"kind": "Singlestore", "metadata": map[string]any{"name": "sdb"}, "$remove": true}, grow},
		"halted":   {map[string]any{"kind": "Singlestore", "metadata": map[string]any{"name": "sdb"}, "spec": map[string]any{"halted": true}}, grow},
		"issuer":   {map[string]any{"kind": "Issuer", "metadata": map[string]any{"name": "ca"}, "$remove": true}, addTLS},
		"version":  {map[string]any{"kind": "SinglestoreVersion", "metadata": map[string]any{"name": "8.9.3"}, "$remove": true}, grow},
	} {
		cache := live.with(t, c.behind).client(t)
		r := request(t, sdb, c.spec)
		for _, behind := range []bool{true, false} {
			config := admit.Config{Reader: cache, Access: rights{}}
			if behind {
				config.Live = live.client(t)
			}
			v, err := admit.New(config).Request(t.Context(), sdb, r, nil, alice)
			if err != nil {
				t.Fatal(err)
			}
			if refused := len(v.Errors) > 0; refused && behind || !refused && !behind && name != "version" {
				t.Errorf("%s, API server at hand: %t: %v", name, behind, v.Errors)
			}
		}
	}
}

func TestRequester(t *testing.T) {
	object := &opsv1.SinglestoreOpsRequest{}
	if _, err := admit.Requester(object); !errors.Is(err, admit.ErrNoRequester) {
		t.Error(err)
	}
	for _, who := range []authenticationv1.UserInfo{alice, {Username: "x"}, {
		Username: "y", Groups: []string{}, Extra: map[string]authenticationv1.ExtraValue{"k": {"a", "b"}, "empty": {}},
	}} {
		if err := admit.StampRequester(object, who); err != nil {
			t.Fatal(err)
		}
		got, err := admit.Requester(object)
		want, _ := json.Marshal(who)
		if raw, _ := json.Marshal(got); err != nil || string(raw) != string(want) {
			t.Errorf("%s became %s: %v", want, raw, err)
		}
	}
	for _, raw := range []string{"", "{}", "null", "alice", `{"username":""}`} {
		object.Annotations[opsv1.AnnotationRequestedBy] = raw
		if who, err := admit.Requester(object); err == nil {
			t.Errorf("%q is %v", raw, who)
		}
	}
}

// TestRequesterIsNobody: a guard that does not know who asked grants nothing.
func TestRequesterIsNobody(t *testing.T) {
	r := request(t, sdb, map[string]any{"type": "Restart", "databaseRef": map[string]any{"name": "sdb"}})
	v, err := loadWorld(t).admission(t).Request(t.Context(), sdb, r, nil, authenticationv1.UserInfo{})
	if err != nil || len(v.Errors) != 2 || !strings.Contains(v.Errors.ToAggregate().Error(), "an unknown user may not update Singlestore sdb") {
		t.Error(v.Errors, err)
	}
}

func TestOperatorEditsFreely(t *testing.T) {
	old := &kubedbv1.PerconaXtraDB{}
	db := into(t, map[string]any{"spec": map[string]any{"version": "none", "storageType": "Ephemeral"}}, &kubedbv1.PerconaXtraDB{})
	v, err := loadWorld(t).admission(t).Database(t.Context(), pxc, db, old, authenticationv1.UserInfo{Username: operator})
	if err != nil || len(v.Errors) > 0 {
		t.Error(v.Errors, err)
	}
}

// reviews is an API server that answers SubjectAccessReviews and remembers what it was asked.
type reviews struct {
	asked []authorizationv1.SubjectAccessReviewSpec
	allow bool
	// broken is what an authorizer says that cannot answer.
	broken string
}

func (r *reviews) reviewer(t *testing.T) *admit.Reviewer {
	t.Helper()
	return admit.NewReviewer(fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.CreateOption) error {
			review, ok := o.(*authorizationv1.SubjectAccessReview)
			if !ok {
				t.Fatalf("%T", o)
			}
			r.asked = append(r.asked, review.Spec)
			review.Status.Allowed, review.Status.EvaluationError = r.allow, r.broken
			return nil
		},
	}).Build())
}

var (
	bob = authenticationv1.UserInfo{Username: "bob", UID: "7", Groups: []string{"g"}, Extra: map[string]authenticationv1.ExtraValue{"k": {"v"}}}
	get = authorizationv1.ResourceAttributes{Verb: "get", Resource: "secrets", Namespace: "demo", Name: "x"}
)

func TestReviewerRemembers(t *testing.T) {
	server := &reviews{allow: true}
	r := server.reviewer(t)
	for range 3 {
		if ok, err := r.Allowed(t.Context(), bob, get); !ok || err != nil {
			t.Error(ok, err)
		}
	}
	want := authorizationv1.SubjectAccessReviewSpec{
		ResourceAttributes: &get, User: "bob", UID: "7", Groups: []string{"g"}, Extra: map[string]authorizationv1.ExtraValue{"k": {"v"}},
	}
	if diff := cmp.Diff([]authorizationv1.SubjectAccessReviewSpec{want}, server.asked); diff != "" {
		t.Error(diff)
	}
}

// TestReviewerCannotTell: an authorizer that does not answer has refused nothing, and is asked again.
func TestReviewerCannotTell(t *testing.T) {
	server := &reviews{broken: "webhook timed out"}
	r := server.reviewer(t)
	if ok, err := r.Allowed(t.Context(), bob, get); ok || err == nil || !strings.Contains(err.Error(), "webhook timed out") {
		t.Error(ok, err)
	}
	server.allow = true
	if ok, err := r.Allowed(t.Context(), bob, get); !ok || err != nil {
		t.Error(ok, err)
	}
}

// TestReviewerTellsApart: whatever differs is another question.
func TestReviewerTellsApart(t *testing.T) {
	server := &reviews{allow: true}
	r := server.reviewer(t)
	if ok, err := r.Allowed(t.Context(), bob, get); !ok || err != nil {
		t.Fatal(ok, err)
	}
	server.allow = false
	for name, change := range map[string]func(*authenticationv1.UserInfo, *authorizationv1.ResourceAttributes){
		"user": func(u *authenticationv1.UserInfo, _ *authorizationv1.ResourceAttributes) { u.Username = "eve" },
		"groups": func(u *authenticationv1.UserInfo, _ *authorizationv1.ResourceAttributes) {
			u.Groups = []string{"g", "h"}
		},
		"quotes": func(u *authenticationv1.UserInfo, _ *authorizationv1.ResourceAttributes) {
			u.Groups = []string{`g" "h`}
		},
		"extra":     func(u *authenticationv1.UserInfo, _ *authorizationv1.ResourceAttributes) { u.Extra = nil },
		"verb":      func(_ *authenticationv1.UserInfo, a *authorizationv1.ResourceAttributes) { a.Verb = "update" },
		"name":      func(_ *authenticationv1.UserInfo, a *authorizationv1.ResourceAttributes) { a.Name = "y" },
		"namespace": func(_ *authenticationv1.UserInfo, a *authorizationv1.ResourceAttributes) { a.Namespace = "other" },
	} {
		who, what := bob, get
		change(&who, &what)
		if ok, err := r.Allowed(t.Context(), who, what); ok || err != nil {
			t.Error(name, ok, err)
		}
	}
	if len(server.asked) != 8 {
		t.Errorf("asked %d times", len(server.asked))
	}
}
