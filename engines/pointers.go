package engines

import (
	"strconv"

	"k8s.io/utils/ptr"
)

// inner reads through a pointer of Settings; the kind may not have the field, and the user may not have set it.
func inner[T any](p **T) *T { return deref(p) }

// deref reads a field that the kind may not have.
func deref[T any](p *T) T {
	var zero T
	return ptr.Deref(p, zero)
}

// unset fills one pointer.
func unset[T any](p **T, value T) {
	if *p == nil {
		*p = &value
	}
}

// plural counts things for a message.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
