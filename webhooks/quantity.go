package webhooks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/drydock-db/drydock/ops"
)

// A quantity is computed with as it is written, digit by digit: 1e999999999 would be a number of a billion digits as soon as it
// is compared, and 1e-999999999 one as soon as it is read. The definitions have the same limits (hack/crds), but a
// mutating webhook is asked before they are.
const (
	mostDigits   = 32 // in a row; a quantity has at most 18 that count
	mostExponent = 2  // digits; a size of 10^19 is refused already
	shown        = 40 // bytes of a value in a message
)

// excessive tells whether a text may have a quantity in it with more digits than that. Every object is looked at, so it looks at
// every third byte until it finds a digit: shorter numbers are no matter.
func excessive(text []byte) bool {
	const stride = mostExponent + 1
	for i := stride - 1; i < len(text); i += stride {
		if !isDigit(text[i]) {
			continue
		}
		start, end := i, i
		for start > 0 && isDigit(text[start-1]) {
			start--
		}
		for end < len(text) && isDigit(text[end]) {
			end++
		}
		if end-start > mostDigits || excessiveExponent(text, start, end) {
			return true
		}
		i = end
	}
	return false
}

// excessiveExponent tells whether the digits from start to end are a long exponent. More of a word before the number or behind it
// shows that they are none: most are part of a UID.
func excessiveExponent(text []byte, start, end int) bool {
	if len(bytes.TrimLeft(text[start:end], "0")) <= mostExponent {
		return false
	}
	before := unsigned(text[:start])
	n := len(before)
	if n == 0 || before[n-1]|0x20 != 'e' {
		return false
	}
	before = unsigned(bytes.TrimRight(before[:n-1], "0123456789."))
	n = len(before)
	return (n == 0 || !inWord(before[n-1])) && (end == len(text) || !inWord(text[end]))
}

// unsigned is a text without the sign that it ends with.
func unsigned(text []byte) []byte {
	if n := len(text); n > 0 && (text[n-1] == '+' || text[n-1] == '-') {
		return text[:n-1]
	}
	return text
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func inWord(c byte) bool { return c == '-' || isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

// sweep returns the review without what is excessive, so that it can be read, and an error that names every such quantity of
// the object. An edit is not blamed for those that the object had before.
func (h handler[O]) sweep(body []byte) ([]byte, error) {
	if !excessive(body) {
		return body, nil
	}
	review := literal(body)
	request, ok := review["request"].(map[string]any)
	if !ok {
		return nil, nil // which is no review
	}
	var now, was sweeper
	kind := reflect.TypeOf(h.create())
	object, old := request["object"], request["oldObject"]
	request["object"], request["oldObject"] = now.clean(nil, kind, object), was.clean(nil, kind, old)
	swept, err := json.Marshal(review)
	if err != nil {
		return nil, fmt.Errorf("writing the review: %w", err)
	}
	known := map[string]bool{}
	for _, e := range was.errs {
		known[e.Error()] = true
	}
	fresh := slices.DeleteFunc(now.errs, func(e *field.Error) bool { return known[e.Error()] })
	content, _ := object.(map[string]any)
	name, _, _ := unstructured.NestedString(content, "metadata", "name")
	return swept, invalid(h.kind.GroupKind(), name, fresh)
}

// literal is a review as JSON has it, numbers as they are written; nil when it is none.
func literal(body []byte) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var review map[string]any
	if decoder.Decode(&review) != nil {
		return nil
	}
	return review
}

// sweeper collects what is wrong with an object's quantities.
type sweeper struct{ errs field.ErrorList }

var quantity = reflect.TypeFor[resource.Quantity]()

// clean returns a value of a type with null for every quantity that is excessive. What is no value of its type stays as it is.
func (s *sweeper) clean(at *field.Path, t reflect.Type, value any) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == quantity {
		return s.quantity(at, value)
	}
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if member := memberOf(t, key); member != nil {
				value[key] = s.clean(at.Child(key), member, value[key])
			}
		}
	case []any:
		if t.Kind() != reflect.Slice {
			break
		}
		for i := range value {
			value[i] = s.clean(at.Index(i), t.Elem(), value[i])
		}
	}
	return value
}

func (s *sweeper) quantity(at *field.Path, value any) any {
	var text string
	switch value := value.(type) {
	case string:
		text = value
	case json.Number:
		text = value.String()
	}
	if !excessive([]byte(text)) {
		return value
	}
	s.errs = append(s.errs, field.Invalid(at, ops.Clip(text, shown), fmt.Sprintf(
		"a quantity has at most %d digits, and an exponent at most two; write for example 10Gi", mostDigits)))
	return nil
}

// memberOf is the type of what is under a key in JSON of a type; nil when nothing is.
func memberOf(t reflect.Type, key string) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == key {
			return f.Type
		}
		if !f.Anonymous || name != "" {
			continue
		}
		if member := memberOf(f.Type, key); member != nil {
			return member
		}
	}
	return nil
}
