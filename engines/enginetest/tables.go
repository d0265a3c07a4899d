package enginetest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/drydock-db/drydock/engines"
)

// Rule is one case of a table: YAML in, exact messages out.
type Rule struct {
	Name string
	// Spec of the object under test.
	Spec string
	// ObjectName is its name; "db" when empty.
	ObjectName string
	// Database is the spec of the database, for requests.
	Database string
	// Stored is true for an object that is there already.
	Stored bool
	Want   []string
}

// Databases runs CheckDatabase and the check of podTemplates after defaulting, as admission does.
func Databases(t *testing.T, e engines.Engine, rules []Rule) {
	for _, r := range rules {
		t.Run(r.Name, func(t *testing.T) {
			db := Database(t, e, r.ObjectName, r.Spec)
			e.Default(db)
			var old engines.Database
			if r.Stored {
				old = db
			}
			errs := append(e.CheckDatabase(db, old), engines.CheckPodTemplates(e, e.Settings(db))...)
			same(t, errs, r.Want)
		})
	}
}

// Requests runs CheckRequest.
func Requests(t *testing.T, e engines.Engine, rules []Rule) {
	for _, r := range rules {
		t.Run(r.Name, func(t *testing.T) {
			db := Database(t, e, "db", r.Database)
			request := e.Kind().NewRequest()
			parse(t, r.Spec, request)
			same(t, e.CheckRequest(request, db), r.Want)
		})
	}
}

// Database reads the spec of a database; the name is "db" unless another is given.
func Database(t *testing.T, e engines.Engine, name, spec string) engines.Database {
	t.Helper()
	db := e.Kind().NewDatabase()
	parse(t, spec, db)
	db.SetName("db")
	if name != "" {
		db.SetName(name)
	}
	return db
}

func parse(t *testing.T, spec string, into any) {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(spec), &tree); err != nil {
		t.Fatal(err)
	}
	raw, err := yaml.Marshal(map[string]any{"spec": tree})
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(raw, into); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, errs field.ErrorList, want []string) {
	t.Helper()
	var got []string
	for _, err := range errs {
		got = append(got, err.Error())
	}
	if !slices.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

// Defaulted is one case of a table: a spec in, the spec after defaulting out.
type Defaulted struct{ Name, Spec, Want string }

// Defaults runs Default on databases named db.
func Defaults(t *testing.T, e engines.Engine, cases []Defaulted) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			db := Database(t, e, "", c.Spec)
			e.Default(db)
			raw, err := yaml.Marshal(db)
			if err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := yaml.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(c.Want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got["spec"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}
