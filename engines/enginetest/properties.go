package enginetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"
	"sigs.k8s.io/yaml"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	"github.com/drydock-db/drydock/engines"
)

// rounds of random objects per property.
const rounds = 200

// Properties checks on random objects, most of them half-filled, what holds for every object.
func Properties(t *testing.T, e engines.Engine) {
	for seed := range int64(rounds) {
		check(t, e, filler(randfill.NewWithSeed(seed)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Fuzz checks the same on what the fuzzer makes of the manifests in testdata.
func Fuzz(f *testing.F, e engines.Engine) {
	manifests, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range manifests {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if document, err := yaml.YAMLToJSON(raw); err == nil && !strings.Contains(file, ".golden.") {
			f.Add(document)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		db := e.Kind().NewDatabase()
		if json.Unmarshal(data, db) != nil {
			return
		}
		image := catalogv1.Image{Image: "image"}
		hold(t, e, db, e.Kind().NewRequest(), engines.Inputs{TLSSecret: "certificates", Version: catalogv1.VersionSpec{
			DB: image, Coordinator: &image, InitContainer: &image, Exporter: &image,
		}})
	})
}

func check(t *testing.T, e engines.Engine, fill *randfill.Filler) {
	t.Helper()
	db, request := e.Kind().NewDatabase(), e.Kind().NewRequest()
	fill.Fill(db)
	fill.Fill(request)
	var in engines.Inputs
	fill.Fill(&in)
	hold(t, e, db, request, in)
}

// hold checks every property on these objects.
func hold(t *testing.T, e engines.Engine, db engines.Database, request engines.OpsRequest, in engines.Inputs) {
	t.Helper()
	nothingPanics(t, e, db, request)
	once := copied(db)
	e.Default(once)
	twice := copied(once)
	e.Default(twice)
	equal(t, "defaulting a defaulted object changes it", once, twice)
	for _, d := range []engines.Database{db, once} {
		rendersAlike(t, e, d, in)
	}
}

func equal[T any](t *testing.T, otherwise string, want, got T) {
	t.Helper()
	if reflect.DeepEqual(want, got) { // a tenth of the time of a diff, which would also see that 1Gi is 1024Mi
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s:\n%s", otherwise, diff)
	}
}

func copied[T runtime.Object](o T) T { return o.DeepCopyObject().(T) }

// nothingPanics asks every question about an object that no admission has seen. Answers leave the object as it is.
func nothingPanics(t *testing.T, e engines.Engine, db engines.Database, request engines.OpsRequest) {
	t.Helper()
	db, request = copied(db), copied(request)
	before, requestBefore := copied(db), copied(request)
	s := e.Settings(db)
	for _, g := range s.Groups {
		g.ReplicaCount()
		if g.PodTemplate() == nil {
			t.Errorf("group %s has no template", g.Name)
		}
	}
	engines.CheckPodTemplates(e, s)
	e.CheckDatabase(db, nil)
	e.CheckDatabase(db, before)
	e.CheckRequest(request, db)
	e.CheckRequest(request, nil)
	e.Lower(request)
	equal(t, "reading a database changed it", before, db)
	equal(t, "reading a request changed it", requestBefore, request)
}

// rendersAlike: rendering neither depends on anything but its input nor changes it.
func rendersAlike(t *testing.T, e engines.Engine, db engines.Database, in engines.Inputs) {
	t.Helper()
	before := copied(db)
	first, err := e.Render(db, in)
	second, again := e.Render(copied(db), in)
	if (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
		t.Fatalf("rendering twice gives %v and %v", err, again)
	}
	equal(t, "rendering twice gives different objects", first, second)
	// What was rendered belongs to the caller: nothing in it may lead back into the database.
	for _, g := range first.Groups {
		for i := range g.StatefulSet.Spec.Template.Spec.Containers {
			c := &g.StatefulSet.Spec.Template.Spec.Containers[i]
			if c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil {
				*c.SecurityContext.RunAsUser = -1
			}
		}
	}
	equal(t, "rendering changed the database, or what it gave shares memory with it", before, db)
}

// words make random objects meet the operator's own names, and one another, now and then.
var words = []string{
	"", "data", "singlestore", "perconaxtradb", "px-coordinator", "exporter", "primary", "stats", "db", "server",
	"custom.cnf", "max_connections = 1", "[mysqld]\nsql_mode = x", "/var/lib/mysql/x", "/scripts/", "$patch", "delete", "a-b",
}

func filler(f *randfill.Filler) *randfill.Filler {
	return f.NilChance(0.5).NumElements(0, 2).MaxDepth(18).Funcs(
		func(s *string, c randfill.Continue) {
			if c.Intn(4) == 0 {
				*s = c.String(8)
				return
			}
			*s = words[c.Intn(len(words))]
		},
		func(q *resource.Quantity, c randfill.Continue) {
			*q = resource.MustParse([]string{"0", "-1", "1Gi", "100m", "10Gi"}[c.Intn(5)])
		},
		func(v *intstr.IntOrString, c randfill.Continue) { *v = intstr.FromInt32(c.Int31()) },
		func(s *metav1.Time, _ randfill.Continue) { *s = metav1.Time{} },
		func(s *metav1.FieldsV1, _ randfill.Continue) { *s = metav1.FieldsV1{} },
		func(r *runtime.RawExtension, _ randfill.Continue) { r.Raw = []byte("{}") },
		func(s *kubedbv1.StorageType, c randfill.Continue) {
			*s = []kubedbv1.StorageType{"", kubedbv1.StorageDurable, kubedbv1.StorageEphemeral}[c.Intn(3)]
		},
		func(p *kubedbv1.DeletionPolicy, c randfill.Continue) {
			*p = []kubedbv1.DeletionPolicy{"", kubedbv1.DeletionHalt, kubedbv1.DeletionDelete, kubedbv1.DeletionDoNotTerminate}[c.Intn(4)]
		},
		func(v *corev1.VolumeSource, c randfill.Continue) {
			if c.Bool() {
				v.EmptyDir = &corev1.EmptyDirVolumeSource{}
			}
		},
		func(u *map[string]map[string][]byte, c randfill.Continue) {
			*u = map[string]map[string][]byte{}
			for _, w := range words {
				(*u)[w] = map[string][]byte{"my.cnf": []byte(words[c.Intn(len(words))])}
			}
		},
	)
}
