package admit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drydock-db/drydock/internal/admit"
)

// TestPlacement: the warning about podPlacementPolicy is for workloads that do not act on it.
func TestPlacement(t *testing.T) {
	w := loadWorld(t)
	c := w.client(t)
	db := into(t, merge(t, w[w.find("PerconaXtraDB", "pxc")], map[string]any{"spec": map[string]any{"podTemplate": map[string]any{
		"spec": map[string]any{"podPlacementPolicy": map[string]any{"name": "x"}},
	}}}), pxc.Kind().NewDatabase())
	pxc.Default(db)
	for _, placement := range []bool{false, true} {
		v, err := admit.New(admit.Config{Reader: c, Access: rights{}, Placement: placement}).Database(t.Context(), pxc, db, nil, alice)
		warned := slices.ContainsFunc(v.Warnings, func(s string) bool { return strings.HasPrefix(s, "spec.podTemplate.spec.podPlacementPolicy: ") })
		if err != nil || warned == placement {
			t.Errorf("placement %t: %v %v", placement, v.Warnings, err)
		}
	}
}
