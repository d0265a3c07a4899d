package admit_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

var update = flag.Bool("update", false, "write what admission says into the cases")

// example is one case: what is sent, what the cluster has besides testdata/world.yaml, and what admission answers.
type example struct {
	Name string `json:"name"`
	// World changes the cluster.
	World []map[string]any `json:"world,omitempty"`
	// Deny takes rights from alice: "verb resource name".
	Deny []string `json:"deny,omitempty"`
	// Request is the spec of a request about the database that is named in it.
	Request map[string]any `json:"request,omitempty"`
	// Create is what a new database has other than the one of the world that From names.
	Create map[string]any `json:"create,omitempty"`
	// Edit is what is changed in the database of the world that From names.
	Edit map[string]any `json:"edit,omitempty"`
	From string         `json:"from,omitempty"`

	Errors   []string `json:"errors,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

func TestExamples(t *testing.T) {
	files, err := filepath.Glob("testdata/examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	base, count := loadWorld(t), 0
	unchanged := base.client(t)
	for _, file := range files {
		kind := map[bool]string{true: "Singlestore", false: "PerconaXtraDB"}[filepath.Base(file)[0] == 's']
		examples := readExamples(t, file)
		count += len(examples)
		for i := range examples {
			e := &examples[i]
			t.Run(filepath.Base(file)+"/"+e.Name, func(t *testing.T) {
				got := e.run(t, kind, base, unchanged)
				if *update {
					e.Errors, e.Warnings = got.Errors, got.Warnings
					return
				}
				if diff := cmp.Diff(answer{e.Errors, e.Warnings}, got); diff != "" {
					t.Error(diff)
				}
			})
		}
		if *update {
			writeExamples(t, file, examples)
		}
	}
	if count < 120 {
		t.Errorf("%d examples, want at least 120", count)
	}
}

// TestExamplesWithoutTheirDatabase: whatever a request says, rules get along without its database.
func TestExamplesWithoutTheirDatabase(t *testing.T) {
	a := loadWorld(t).admission(t)
	for _, file := range []string{"singlestore", "perconaxtradb"} {
		engine := map[bool]engines.Engine{true: sdb, false: pxc}[file == "singlestore"]
		for _, e := range readExamples(t, "testdata/examples/"+file+"-requests.yaml") {
			for _, name := range []string{"", "nobody"} {
				r := request(t, engine, merge(t, e.Request, map[string]any{"databaseRef": map[string]any{"name": name}}))
				v, err := a.Request(t.Context(), engine, r, nil, alice)
				named := slices.ContainsFunc(v.Errors, func(e *field.Error) bool { return e.Field == "spec.databaseRef.name" })
				if err != nil || !named || len(v.Warnings) > 0 {
					t.Errorf("%s, about %q: %v %v %v", e.Name, name, v.Errors, v.Warnings, err)
				}
			}
		}
	}
}

type answer struct{ Errors, Warnings []string }

func (e *example) run(t *testing.T, kind string, base world, unchanged client.Client) answer {
	w, c := slices.Clone(base), unchanged
	if len(e.World) > 0 {
		for _, change := range e.World {
			w = w.with(t, change)
		}
		c = w.client(t)
	}
	a, engine := admission(c, e.Deny...), engineOf(kind)
	var verdict admit.Verdict
	var err error
	if e.Request != nil {
		r := into(t, map[string]any{"spec": e.Request}, engine.Kind().NewRequest())
		r.SetName("request")
		r.SetNamespace("demo")
		if err := admit.StampRequester(r, alice); err != nil {
			t.Fatal(err)
		}
		verdict, err = a.Request(t.Context(), engine, r, nil, alice)
	} else {
		db, old := e.database(t, engine, w)
		verdict, err = a.Database(t.Context(), engine, db, old, alice)
	}
	if err != nil {
		t.Fatal(err)
	}
	got := answer{Warnings: verdict.Warnings}
	for _, e := range verdict.Errors {
		got.Errors = append(got.Errors, e.Error())
	}
	for _, warning := range verdict.Warnings {
		if len(warning) > 256 {
			t.Errorf("the API server cuts warnings of more than 256 bytes: %s", warning)
		}
	}
	return got
}

// database makes the object that is sent and, for an edit, the one that is stored.
func (e *example) database(t *testing.T, engine engines.Engine, w world) (db, old engines.Database) {
	stored := w[w.find(engine.Kind().Database.Kind, e.From)]
	if e.Create != nil {
		db = into(t, merge(t, stored, e.Create), engine.Kind().NewDatabase())
		db.DatabaseStatus().Conditions = nil
		engine.Default(db)
		return db, nil
	}
	old = into(t, stored, engine.Kind().NewDatabase())
	engine.Default(old)
	db = into(t, merge(t, stored, e.Edit), engine.Kind().NewDatabase())
	engine.Default(db)
	return db, old
}

func readExamples(t *testing.T, file string) []example {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var examples []example
	if err := yaml.UnmarshalStrict(raw, &examples); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return examples
}

// writeExamples keeps the order in which a case is read.
func writeExamples(t *testing.T, file string, examples []example) {
	var out bytes.Buffer
	for _, e := range examples {
		lead := "- "
		for _, part := range []struct {
			key   string
			value any
			empty bool
		}{
			{"name", e.Name, false}, {"world", e.World, len(e.World) == 0}, {"deny", e.Deny, len(e.Deny) == 0},
			{"from", e.From, e.From == ""}, {"request", e.Request, e.Request == nil}, {"create", e.Create, e.Create == nil},
			{"edit", e.Edit, e.Edit == nil}, {"errors", e.Errors, len(e.Errors) == 0},
			{"warnings", e.Warnings, len(e.Warnings) == 0},
		} {
			if part.empty {
				continue
			}
			raw, err := yaml.Marshal(map[string]any{part.key: part.value})
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(raw)) {
				out.WriteString(lead + line)
				lead = "  "
			}
		}
	}
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
