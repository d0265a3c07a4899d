package apply

import (
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
)

// Contains tells whether live has everything that desired asks for. What desired leaves out, the API server has
// filled in; lists have to match item by item.
func Contains(live, desired any) bool {
	have, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false
	}
	want, err := runtime.DefaultUnstructuredConverter.ToUnstructured(desired)
	if err != nil {
		return false
	}
	delete(want, "status")
	return subset(want, have)
}

func subset(want, have any) bool {
	switch want := want.(type) {
	case nil:
		return true
	case map[string]any:
		fields, ok := have.(map[string]any)
		if !ok {
			return len(want) == 0
		}
		for k, v := range want {
			if !subset(v, fields[k]) {
				return false
			}
		}
		return true
	case []any:
		items, ok := have.([]any)
		if !ok || len(items) != len(want) {
			return len(want) == 0
		}
		for i := range want {
			if !subset(want[i], items[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(want, have)
}
