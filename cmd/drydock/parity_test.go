package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cmv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	opsv1 "github.com/drydock-db/drydock/apis/ops/v1alpha1"
	"github.com/drydock-db/drydock/cmd/drydock/operator"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
	"github.com/drydock-db/drydock/ops"
)

// words are the parts of names of golden plans that are not the operation's own.
var words = map[opsv1.OpsType]string{opsv1.ReconfigureTLS: "tls", opsv1.VolumeExpansion: "volumes"}

// TestParity walks kinds and operations: whatever the operator carries out has, for every kind, a sample that admission
// takes and a golden plan, and a chapter in the documents. A new kind or a new operation fails here until it has.
func TestParity(t *testing.T) {
	samples, scheme := manifests(t, "samples"), operator.Scheme()
	admission := admit.New(admit.Config{Reader: world(t, scheme, samples), Access: everything{}})
	plans, err := filepath.Glob("../../ops/testdata/plans/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	chapters, table := read(t, "../../docs/operations.md"), read(t, "../../README.md")
	for _, operation := range ops.Types() {
		if !strings.Contains(chapters, "\n## "+string(operation)+"\n") {
			t.Errorf("docs/operations.md has no chapter %s", operation)
		}
		if !strings.Contains(table, "\n| "+string(operation)+" |") {
			t.Errorf("README.md has no row about %s", operation)
		}
		for _, e := range kinds() {
			kind := e.Kind().Database.Kind
			t.Run(kind+"/"+string(operation), func(t *testing.T) {
				checkSample(t, admission, e, operation, samples)
				word := words[operation]
				if word == "" {
					word = strings.ToLower(string(operation))
				}
				if !slices.ContainsFunc(plans, func(file string) bool {
					name := filepath.Base(file)
					return strings.HasPrefix(name, strings.ToLower(kind)) && strings.Contains(name, "-"+word)
				}) {
					t.Errorf("there is no golden plan of %s for %s", operation, kind)
				}
			})
		}
	}
}

// checkSample has the first sample of an operation admitted, as it would be after defaulting.
func checkSample(t *testing.T, a *admit.Admission, e engines.Engine, operation opsv1.OpsType, samples []client.Object) {
	t.Helper()
	for _, o := range samples {
		r, ok := o.(engines.OpsRequest)
		if !ok || r.GetObjectKind().GroupVersionKind() != e.Kind().Request || r.RequestSpec().Type != operation {
			continue
		}
		who := authenticationv1.UserInfo{Username: "somebody"}
		r = r.DeepCopyObject().(engines.OpsRequest)
		if err := admit.StampRequester(r, who); err != nil {
			t.Fatal(err)
		}
		v, err := a.Request(t.Context(), e, r, nil, who)
		if err != nil || len(v.Errors) > 0 {
			t.Errorf("sample %s is refused: %v %v", r.GetName(), v.Errors, err)
		}
		return
	}
	t.Errorf("config/samples has no %s of type %s", e.Kind().Request.Kind, operation)
}

// manifests reads a folder of config, and refuses fields that there are not.
func manifests(t *testing.T, folder string) []client.Object {
	t.Helper()
	files, err := filepath.Glob("../../config/" + folder + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no manifests in", folder, err)
	}
	decoder := serializer.NewCodecFactory(operator.Scheme(), serializer.EnableStrict).UniversalDeserializer()
	var objects []client.Object
	for _, file := range files {
		for _, document := range bytes.Split([]byte(read(t, file)), []byte("\n---\n")) {
			if bytes.Contains(document, []byte("kind: Kustomization")) {
				continue
			}
			o, _, err := decoder.Decode(document, nil, nil)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			objects = append(objects, o.(client.Object))
		}
	}
	return objects
}

// world has the databases of the samples, the catalog, and what they lean on.
func world(t *testing.T, scheme *runtime.Scheme, samples []client.Object) client.Client {
	t.Helper()
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(manifests(t, "catalog")...).WithObjects(
		&storagev1.StorageClass{
			ObjectMeta:           metav1.ObjectMeta{Name: "standard", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
			AllowVolumeExpansion: new(true),
		},
		&cmv1.Issuer{
			ObjectMeta: metav1.ObjectMeta{Name: "ca", Namespace: "demo"},
			Status:     cmv1.IssuerStatus{Conditions: []cmv1.IssuerCondition{{Type: cmv1.IssuerConditionReady, Status: cmmeta.ConditionTrue}}},
		})
	for _, e := range kinds() {
		builder = builder.WithIndex(e.Kind().NewRequest(), admit.IndexDatabase, func(o client.Object) []string {
			return []string{o.(engines.OpsRequest).RequestSpec().DatabaseRef.Name}
		})
		for _, o := range samples {
			if db, ok := o.(engines.Database); ok && o.GetObjectKind().GroupVersionKind() == e.Kind().Database {
				db = db.DeepCopyObject().(engines.Database)
				e.Default(db)
				builder = builder.WithObjects(db)
			}
		}
	}
	return builder.Build()
}

// everything is allowed.
type everything struct{}

func (everything) Allowed(context.Context, authenticationv1.UserInfo, authorizationv1.ResourceAttributes) (bool, error) {
	return true, nil
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
