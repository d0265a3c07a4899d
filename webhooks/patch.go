package webhooks

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	kjson "sigs.k8s.io/json"
)

// operation is one line of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// patch returns the JSON patch that does to the object as it was sent what defaulting did to the decoded one. Only what
// defaulting changed is in it: the zero values that a Go type writes for what nobody gave are in both and cancel out.
// It is nil when nothing changed.
func patch(body []byte, before, after any) ([]byte, error) {
	if reflect.DeepEqual(before, after) { // so it is with most edits
		return nil, nil
	}
	was, err := plain(before)
	if err != nil {
		return nil, err
	}
	is, err := plain(after)
	if err != nil {
		return nil, err
	}
	var review struct {
		Request struct {
			Object any `json:"object"`
		} `json:"request"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(body, &review); err != nil {
		return nil, fmt.Errorf("reading the object: %w", err)
	}
	operations := changes("", review.Request.Object, was, is)
	if len(operations) == 0 {
		return nil, nil
	}
	return json.Marshal(operations)
}

// plain is an object as JSON has it: maps, lists and scalars.
func plain(object any) (any, error) {
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("writing the object: %w", err)
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, fmt.Errorf("reading the object: %w", err)
	}
	return value, nil
}

// changes lists what leads from one value to the other at a path. sent is what the user wrote there: what has no place
// in it yet is added as a whole.
func changes(path string, sent, before, after any) []operation {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	was, wasMap := before.(map[string]any)
	is, isMap := after.(map[string]any)
	if !wasMap || !isMap {
		return []operation{{Op: "add", Path: path, Value: after}}
	}
	written, there := sent.(map[string]any)
	if !there {
		return []operation{{Op: "add", Path: path, Value: difference(was, is)}}
	}
	var list []operation
	for _, key := range slices.Sorted(maps.Keys(is)) {
		child := path + "/" + escape(key)
		if old, had := was[key]; had {
			list = append(list, changes(child, written[key], old, is[key])...)
		} else {
			list = append(list, operation{Op: "add", Path: child, Value: is[key]})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		_, stays := is[key]
		if _, sent := written[key]; sent && !stays {
			list = append(list, operation{Op: "remove", Path: path + "/" + escape(key)})
		}
	}
	return list
}

// difference is the part of a map that the other one does not have.
func difference(was, is map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range is {
		old, had := was[key]
		if had && reflect.DeepEqual(old, value) {
			continue
		}
		oldMap, wasMap := old.(map[string]any)
		newMap, isMap := value.(map[string]any)
		if wasMap && isMap {
			value = difference(oldMap, newMap)
		}
		out[key] = value
	}
	return out
}

var pointer = strings.NewReplacer("~", "~0", "/", "~1")

// escape writes a key as a part of a JSON pointer.
func escape(key string) string { return pointer.Replace(key) }
