package shape

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// find follows the validator's name of a field, such as "Spec.OpsRequestSpec.TLS.Certificates[0].Alias", through the
// object. It returns where the user wrote the field and what the object holds there: the validator's own names show
// inlined structs, and its values are what custom types were turned into.
func find(value reflect.Value, namespace string, path *field.Path) (*field.Path, reflect.Value) {
	rest := strings.TrimPrefix(namespace, value.Type().Name()+".")
	for rest != "" {
		value = reflect.Indirect(value)
		if !value.IsValid() {
			return path, value
		}
		if rest[0] == '[' {
			path, value, rest = element(value, rest[1:], path)
			continue
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		name := rest[:end]
		rest = strings.TrimPrefix(rest[end:], ".")
		if value.Kind() != reflect.Struct {
			return path.Child(name), reflect.Value{}
		}
		described, ok := value.Type().FieldByName(name)
		if !ok {
			return path.Child(name), reflect.Value{}
		}
		if own, inlined := jsonName(described); !inlined {
			path = path.Child(own)
		}
		value = value.FieldByIndex(described.Index)
	}
	return path, value
}

// element follows an index or a map key.
func element(value reflect.Value, rest string, path *field.Path) (*field.Path, reflect.Value, string) {
	if value.Kind() == reflect.Map {
		return entry(value, rest, path)
	}
	text, after, _ := strings.Cut(rest, "]")
	after = strings.TrimPrefix(after, ".")
	index, err := strconv.Atoi(text)
	list := value.Kind() == reflect.Slice || value.Kind() == reflect.Array
	if err != nil || !list || index < 0 || index >= value.Len() {
		return path.Key(text), reflect.Value{}, after
	}
	return path.Index(index), value.Index(index), after
}

// entry follows a map key. It may hold any character, brackets too, so it is found among the keys of the map.
func entry(value reflect.Value, rest string, path *field.Path) (*field.Path, reflect.Value, string) {
	for _, key := range value.MapKeys() {
		text := fmt.Sprint(key)
		after, ok := strings.CutPrefix(rest, text+"]")
		if ok && (after == "" || after[0] == '.' || after[0] == '[') {
			return path.Key(text), value.MapIndex(key), strings.TrimPrefix(after, ".")
		}
	}
	text, after, _ := strings.Cut(rest, "]")
	return path.Key(text), reflect.Value{}, strings.TrimPrefix(after, ".")
}

// jsonName is the name under which a user writes the field. Inlined structs have none of their own.
func jsonName(f reflect.StructField) (name string, inlined bool) {
	name, flags, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name != "" && name != "-" {
		return name, false
	}
	if f.Anonymous && (name == "" || strings.Contains(flags, "inline")) {
		return "", true
	}
	return lowerFirst(f.Name), false
}

// lowerFirst writes a Go name as a JSON name: Port becomes port.
func lowerFirst(name string) string {
	runes := []rune(name)
	runes[0] = unicode.ToLower(runes[0])
	return string(runes)
}
