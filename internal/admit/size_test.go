package admit_test

import (
	"encoding/json"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	kubedbv1 "github.com/drydock-db/drydock/apis/kubedb/v1"
	kubedbv1alpha2 "github.com/drydock-db/drydock/apis/kubedb/v1alpha2"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/steps"
)

// comments is a configuration file of so many lines.
func comments(lines int, text string) string {
	return "[mysqld]\n" + strings.Repeat("# "+text+"\n", lines)
}

func TestTooMuchConfiguration(t *testing.T) {
	large := comments(40000, "a comment of some length")
	a := loadWorld(t).with(t, map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "large", "namespace": "demo"}, "stringData": map[string]any{"a.cnf": large},
	}).admission(t)
	for name, configuration := range map[string]any{
		"the inline configuration of the whole database would take 1120024 bytes as it is stored, where a line break counts twice: " +
			"at most 409600 fit; put large files into a Secret": map[string]any{"applyConfig": map[string]any{"a.cnf": large}},
		"its files have 1080009 bytes: the database gets a copy of at most 614400": map[string]any{"configSecret": map[string]any{"name": "large"}},
	} {
		v, err := a.Request(t.Context(), pxc, request(t, pxc, map[string]any{
			"type": "Reconfigure", "databaseRef": map[string]any{"name": "pxc"}, "configuration": configuration,
		}), nil, alice)
		if err != nil || len(v.Errors) != 1 || v.Errors[0].Detail != name {
			t.Errorf("%.300s %v", v.Errors.ToAggregate(), err)
		}
	}
}

// TestTooMuchOfTheWrongFile: whoever gives a file that is none reads a few lines about it, and not what it is besides too large.
func TestTooMuchOfTheWrongFile(t *testing.T) {
	wrong := strings.Repeat("INSERT INTO t VALUES (1)\n", 40000)
	w := loadWorld(t).with(t, map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "large", "namespace": "demo"}, "stringData": map[string]any{"a.cnf": wrong},
	})
	a := w.admission(t)
	for name, c := range map[string]struct {
		configuration map[string]any
		errors        int
	}{
		"inline and too large":  {map[string]any{"inline": map[string]any{"a.cnf": wrong}}, 1},
		"inline":                {map[string]any{"inline": map[string]any{"a.cnf": wrong[:len(wrong)/4]}}, 11},
		"a Secret too large":    {map[string]any{"secretName": "large"}, 1},
		"a Secret and too much": {map[string]any{"secretName": "large", "inline": map[string]any{"a.cnf": wrong}}, 2},
	} {
		db := into(t, merge(t, w[w.find("PerconaXtraDB", "pxc")], map[string]any{"spec": map[string]any{"configuration": c.configuration}}), &kubedbv1.PerconaXtraDB{})
		pxc.Default(db)
		v, err := a.Database(t.Context(), pxc, db, nil, alice)
		if err != nil || len(v.Errors) != c.errors {
			t.Errorf("%s: %d errors, want %d: %.300s %v", name, len(v.Errors), c.errors, v.Errors.ToAggregate(), err)
		}
	}
}

// largest returns about the number of lines of the largest configuration that admission lets through; high are too many.
func largest(t *testing.T, high int, admitted func(lines int) bool) int {
	t.Helper()
	low := 1
	for high-low > 1+low/50 {
		if middle := (low + high) / 2; admitted(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	if !admitted(low) || admitted(high) {
		t.Fatal("there is no limit")
	}
	return low
}

// TestALargeDatabaseCanBeOperatedOn: whatever is admitted fits into the one object that an operation is planned from,
// which holds the spec twice, and its rendered files fit into a Secret.
func TestALargeDatabaseCanBeOperatedOn(t *testing.T) {
	w := loadWorld(t)
	a, stored := w.admission(t), w[w.find("Singlestore", "sdb")]
	database := func(lines int, text string) *kubedbv1alpha2.Singlestore {
		inline := map[string]any{"configuration": map[string]any{"inline": map[string]any{"old.cnf": comments(lines, text)}}}
		return into(t, merge(t, stored, map[string]any{"spec": map[string]any{
			"topology": map[string]any{"aggregator": inline, "leaf": inline},
		}}), &kubedbv1alpha2.Singlestore{})
	}
	for name, text := range map[string]string{"many lines": "0123456789", "long lines": strings.Repeat("x", 1000), "what JSON writes at length": strings.Repeat("<&>", 100)} {
		t.Run(name, func(t *testing.T) {
			old, high := database(1, text), 1<<19/len(text)
			sdb.Default(old)
			byEdit := largest(t, high, func(lines int) bool {
				db := database(lines, text)
				sdb.Default(db)
				v, err := a.Database(t.Context(), sdb, db, old, alice)
				return err == nil && len(v.Errors) == 0
			})
			byRequest := largest(t, high, func(lines int) bool {
				apply := map[string]any{"removeCustomConfig": true, "applyConfig": map[string]any{"old.cnf": comments(lines, text)}}
				v, err := a.Request(t.Context(), sdb, request(t, sdb, map[string]any{
					"type": "Reconfigure", "databaseRef": map[string]any{"name": "sdb"},
					"configuration": map[string]any{"aggregator": apply, "leaf": apply},
				}), nil, alice)
				return err == nil && len(v.Errors) == 0
			})
			if byEdit != byRequest {
				t.Errorf("%d lines fit by an edit and %d by a request", byEdit, byRequest)
			}
			checkFits(t, database(byEdit, text))
		})
	}
}

// checkFits renders the database and saves an operation on it.
func checkFits(t *testing.T, db *kubedbv1alpha2.Singlestore) {
	t.Helper()
	sdb.Default(db)
	spec, err := steps.SpecOf(db)
	if err != nil {
		t.Fatal(err)
	}
	in := engines.Inputs{}
	in.Version.DB.Image = "example/singlestore-node"
	objects, err := sdb.Render(db, in)
	if err != nil {
		t.Fatal(err)
	}
	saved := steps.Saved{
		Before: steps.State{Spec: spec, Workloads: map[string]*appsv1.StatefulSet{}},
		After:  steps.State{Spec: spec, Workloads: map[string]*appsv1.StatefulSet{}},
	}
	for _, g := range objects.Groups {
		saved.Before.Workloads[g.Name], saved.After.Workloads[g.Name] = g.StatefulSet, g.StatefulSet
		size := 0
		for _, file := range g.Config.Data {
			size += len(file)
		}
		if users := 600 << 10; size+users > 1<<20 {
			t.Errorf("the files of %s have %d bytes: with a Secret of the user's they would not fit into a Secret", g.Name, size)
		}
	}
	raw, err := json.Marshal(saved)
	if err != nil {
		t.Fatal(err)
	}
	if limit := 12 << 20 / 10; len(raw) > limit || len(raw) < limit/2 {
		t.Errorf("the saved revision of a database at the limit has %d bytes, want somewhat less than %d", len(raw), limit)
	}
}
