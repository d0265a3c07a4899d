package shape

import (
	"reflect"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"
)

// The tags of a discriminated union, required_if and excluded_unless, stand at most fields of a request. They mean what
// the library's own mean for fields with string values; the library looks the other field up by name each time, which
// was half of the cost of an admission. A field that is never required has omitempty before excluded_unless: for an absent
// field with any other tag the library writes out the whole name, which an error would have.

func requiredIf(f validator.FieldLevel) bool { return !holds(f) || given(f.Field()) }

func excludedUnless(f validator.FieldLevel) bool { return holds(f) || !given(f.Field()) }

// given tells whether the user wrote the field. Pointers come here followed, so a struct is one that somebody wrote: a
// section that is no pointer is always there, and a tag of a union has no meaning on it.
func given(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Invalid:
		return false
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return !value.IsNil()
	case reflect.Struct:
		return true
	default:
		return !value.IsZero()
	}
}

// sibling is a field beside the one with the tag and the value that the tag speaks of.
type sibling struct {
	index []int
	want  string
}

// place is where a tag stands.
type place struct {
	in    reflect.Type
	param string
}

var conditions sync.Map // place → []sibling

// holds tells whether the condition of the tag is met: each named field has the value that goes with it.
func holds(f validator.FieldLevel) bool {
	parent := reflect.Indirect(f.Parent())
	for _, s := range siblings(parent.Type(), f.Param()) {
		if value := reflect.Indirect(parent.FieldByIndex(s.index)); value.Kind() != reflect.String || value.String() != s.want {
			return false
		}
	}
	return true
}

// siblings looks the fields up once for each place. A tag that names a field that is not there is a mistake in the code
// that no input can bring about.
func siblings(in reflect.Type, param string) []sibling {
	key := place{in, param}
	if known, ok := conditions.Load(key); ok {
		list, _ := known.([]sibling)
		return list
	}
	var list []sibling
	words := strings.Fields(param)
	for i := 0; i+1 < len(words); i += 2 {
		field, ok := in.FieldByName(words[i])
		if !ok {
			panic("the tag of a field of " + in.String() + " speaks of " + words[i] + ", which is not there")
		}
		list = append(list, sibling{field.Index, words[i+1]})
	}
	conditions.Store(key, list)
	return list
}
