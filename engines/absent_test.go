package engines_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/perconaxtradb"
	"github.com/drydock-db/drydock/engines/singlestore"
)

// TestAbsentContainers compares with what is rendered, for every choice of images.
func TestAbsentContainers(t *testing.T) {
	image := &catalogv1.Image{Image: "image"}
	for _, c := range []struct {
		engine engines.Engine
		spec   string
	}{
		{perconaxtradb.New(), `{}`},
		{perconaxtradb.New(), `{monitor: {agent: prometheus.io}}`},
		{singlestore.New(), `{monitor: {agent: prometheus.io}}`},
		{singlestore.New(), `{topology: {aggregator: {}, leaf: {}}}`},
	} {
		for choice := range 8 {
			in := engines.Inputs{Version: catalogv1.VersionSpec{DB: *image}}
			for bit, field := range []**catalogv1.Image{&in.Version.Coordinator, &in.Version.InitContainer, &in.Version.Exporter} {
				if choice&(1<<bit) != 0 {
					*field = image
				}
			}
			db := c.engine.Kind().NewDatabase()
			if err := yaml.Unmarshal([]byte("{metadata: {name: db}, spec: "+c.spec+"}"), db); err != nil {
				t.Fatal(err)
			}
			c.engine.Default(db)
			s := c.engine.Settings(db)
			objects, err := c.engine.Render(db, in)
			if err != nil {
				continue // metrics without an image are refused
			}
			for i, g := range objects.Groups {
				all := slices.Concat(c.engine.Reserved().Containers, c.engine.Reserved().InitContainers)
				absent := engines.AbsentContainers(c.engine, s, s.Groups[i], &in.Version)
				got := slices.Concat(names(g.StatefulSet.Spec.Template.Spec), slices.Collect(maps.Keys(absent)))
				slices.Sort(all)
				slices.Sort(got)
				if diff := cmp.Diff(all, got); diff != "" {
					t.Errorf("%s %s with images %03b: every container is there or absent (-want +got)\n%s", c.spec, g.Name, choice, diff)
				}
			}
		}
	}
}

func names(s corev1.PodSpec) []string {
	var list []string
	for _, c := range slices.Concat(s.Containers, s.InitContainers) {
		list = append(list, c.Name)
	}
	return list
}
