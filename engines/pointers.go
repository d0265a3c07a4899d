package engines

import "strconv"

// deref reads through a pointer of Settings; the kind may not have the field, and the user may not have set it.
func deref[T any](p **T) *T {
	if p == nil {
		return nil
	}
	return *p
}

// value reads a field that the kind may not have.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// valueOr reads a field that the user may have left open.
func valueOr[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
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
