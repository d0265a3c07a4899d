package controllers

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/drydock-db/drydock/internal/apply"
)

// Several errors at once are no failure only if each of them is none, in whatever order they come.
func TestOvertaken(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "things"}, "a", errors.New("modified"))
	behind, away := &apply.BehindError{What: "StatefulSet px"}, errors.New("connection refused")
	broken := apierrors.NewInternalError(away)
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false}, {conflict, true}, {behind, true}, {away, false}, {broken, false},
		{fmt.Errorf("writing: %w", conflict), true},
		{errors.Join(conflict, behind), true}, {errors.Join(nil, conflict), true},
		{errors.Join(conflict, away), false}, {errors.Join(away, behind), false}, {errors.Join(conflict, broken), false}, {errors.Join(broken, conflict), false},
	} {
		if got := overtaken(c.err); got != c.want {
			t.Errorf("overtaken(%v) is %t", c.err, got)
		}
	}
}
