package admit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/internal/admit"
)

// TestStanding: what the webhook refuses whoever asks, the controller refuses too, without reading anything.
func TestStanding(t *testing.T) {
	w := loadWorld(t)
	version := into(t, w[w.find("PerconaXtraDBVersion", "8.4.3")], pxc.Kind().NewVersion()).VersionSpec()
	deprecated := into(t, w[w.find("PerconaXtraDBVersion", "8.0.31")], pxc.Kind().NewVersion()).VersionSpec()
	a := admit.New(admit.Config{}) // no reader: there is nothing to read with
	database := func(name string, change map[string]any) engines.Database {
		db := into(t, merge(t, w[w.find("PerconaXtraDB", "pxc")], map[string]any{
			"metadata": map[string]any{"name": name}, "spec": change,
		}), pxc.Kind().NewDatabase())
		pxc.Default(db)
		return db
	}
	none, rawVolumes := map[string]any{}, map[string]any{"storage": map[string]any{"volumeMode": "Block"}}
	const long = "a-name-that-is-too-long-for-a-galera-cluster"
	for name, c := range map[string]struct {
		db    engines.Database
		isNew bool
		want  []string
		old   bool
	}{
		"good": {db: database("px", none), isNew: true},
		"bad": {db: database("px", map[string]any{"replicas": 2, "requireSSL": true, "configuration": map[string]any{"inline": map[string]any{"a.cnf": "datadir = /x"}}}),
			want: []string{"spec.replicas", "spec.tls", "spec.configuration.inline[a.cnf]"}},
		"a name that cannot be, new":    {db: database(long, none), isNew: true, want: []string{"metadata.name"}},
		"a name that cannot be, since":  {db: database(long, none)},
		"volumes that cannot be, new":   {db: database("px", rawVolumes), isNew: true, want: []string{"spec.storage.volumeMode"}},
		"volumes that cannot be, since": {db: database("px", rawVolumes)},
		"deprecated, new":               {db: database("px", none), isNew: true, old: true, want: []string{"spec.version"}},
		"deprecated, since":             {db: database("px", none), old: true},
	} {
		t.Run(name, func(t *testing.T) {
			v := version
			if c.old {
				v = deprecated
			}
			var fields []string
			for _, e := range a.Standing(pxc, c.db, v, c.isNew) {
				fields = append(fields, e.Field)
			}
			if diff := cmp.Diff(c.want, fields); diff != "" {
				t.Error(diff)
			}
		})
	}
}
