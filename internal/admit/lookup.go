package admit

import (
	"reflect"
	"strings"
)

// at returns what an object holds under JSON names, or nil. It lets one table speak of fields that only some kinds
// have. A field that has its zero value, is an empty list or points to nothing counts as absent.
func at(object any, names ...string) any {
	value := reflect.ValueOf(object)
	for _, name := range names {
		for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
			value = value.Elem()
		}
		if value.Kind() != reflect.Struct {
			return nil
		}
		if value = member(value, name); !value.IsValid() {
			return nil
		}
	}
	empty := (value.Kind() == reflect.Slice || value.Kind() == reflect.Map) && value.Len() == 0
	if !value.IsValid() || value.IsZero() || empty {
		return nil
	}
	return value.Interface()
}

// member finds a field by its JSON name, in inlined structs too.
func member(value reflect.Value, name string) reflect.Value {
	described := value.Type()
	for i := range described.NumField() {
		f := described.Field(i)
		own, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if own == name && f.IsExported() {
			return value.Field(i)
		}
		if own == "" && f.Anonymous && f.Type.Kind() == reflect.Struct {
			if inlined := member(value.Field(i), name); inlined.IsValid() {
				return inlined
			}
		}
	}
	return reflect.Value{}
}

// specOf is a pointer to the spec of an object of any kind, to check or to compare with another.
func specOf(object any) any {
	value := reflect.Indirect(reflect.ValueOf(object))
	if value.Kind() != reflect.Struct {
		return nil
	}
	spec := value.FieldByName("Spec")
	if !spec.IsValid() || !spec.CanAddr() {
		return nil
	}
	return spec.Addr().Interface()
}
