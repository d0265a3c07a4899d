// Command crds makes generated CustomResourceDefinitions fit to ship. It drops the descriptions below fields whose
// schema is Kubernetes' own (a pod template alone carries half a megabyte of them), limits the digits of quantities and writes
// what is left compactly.
//
// Why the size matters: `kubectl apply` keeps a copy of an object in one of its annotations, and the API server refuses
// annotations above 256 KiB. A definition below that limit can be installed by any tool in any mode.
//
//	crds -in DIR -out DIR
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// maxBytes is the largest definition, as JSON, that is let through: the annotation limit less some room.
const maxBytes = 250 << 10

// foreign fields have a schema that Kubernetes documents, not this project.
var foreign = map[string]bool{
	"podTemplate": true, "serviceTemplates": true, "storage": true, "script": true, "env": true, "resources": true,
	"securityContext": true, "selector": true, "coordinator": true,
}

// wide is controller-gen's pattern of a quantity. Its exponents have no limit, so that one short value could keep whoever
// compares it busy for hours; narrow has the limits that the webhooks have too.
const (
	wide   = `^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$`
	narrow = `^(\+|-)?(([0-9]{1,32}(\.[0-9]{0,32})?)|(\.[0-9]{1,32}))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]{1,2}))?$`
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("crds: ")
	in := flag.String("in", "", "folder with controller-gen's output")
	out := flag.String("out", "config/crd", "folder to write to")
	flag.Parse()
	if err := run(*in, *out); err != nil {
		log.Fatal(err)
	}
}

// run rewrites every definition of folder in into folder out.
func run(in, out string) error {
	files, err := filepath.Glob(filepath.Join(in, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no definitions in %q", in)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read a definition: %w", err)
		}
		short, err := shorten(content)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(out, filepath.Base(file)), short, 0o644); err != nil { //nolint:gosec // a file of the repository, for everyone to read
			return fmt.Errorf("write a definition: %w", err)
		}
	}
	return nil
}

// shorten returns the definition without foreign descriptions, or an error when it is still too large.
func shorten(content []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	trim(&doc, false)
	limit(&doc)
	compact(child(&doc, "spec")) // the chart adds to metadata, line by line
	var short bytes.Buffer
	short.WriteString("---\n")
	encoder := yaml.NewEncoder(&short)
	encoder.SetIndent(1)
	if err := encoder.Encode(&doc); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	var value any
	if err := doc.Decode(&value); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode as JSON: %w", err)
	}
	if len(asJSON) > maxBytes {
		return nil, fmt.Errorf("%d bytes as JSON, more than the %d that kubectl apply can carry", len(asJSON), maxBytes)
	}
	return short.Bytes(), nil
}

// trim removes descriptions below foreign fields. A node is a schema's map of properties when its key says so; only
// there a key is a field's name, and a field that is called description is not a description.
func trim(n *yaml.Node, drop bool) {
	if n.Kind != yaml.MappingNode {
		for _, child := range n.Content {
			trim(child, drop)
		}
		return
	}
	kept := n.Content[:0]
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if drop && key.Value == "description" && value.Kind == yaml.ScalarNode {
			continue
		}
		if key.Value == "properties" {
			trimProperties(value, drop)
		} else {
			trim(value, drop)
		}
		kept = append(kept, key, value)
	}
	n.Content = kept
}

// trimProperties keeps the description of a foreign field itself: that one is ours.
func trimProperties(properties *yaml.Node, drop bool) {
	for i := 0; i+1 < len(properties.Content); i += 2 {
		name, schema := properties.Content[i].Value, properties.Content[i+1]
		if drop || !foreign[name] {
			trim(schema, drop)
			continue
		}
		for j := 0; j+1 < len(schema.Content); j += 2 {
			switch key, value := schema.Content[j].Value, schema.Content[j+1]; key {
			case "properties":
				trimProperties(value, true)
			case "items", "additionalProperties":
				trim(value, true)
			}
		}
	}
}

// limit narrows the pattern of every quantity.
func limit(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Value == wide {
		n.Value = narrow
	}
	for _, child := range n.Content {
		limit(child)
	}
}

// child is the value of a document's top-level key.
func child(doc *yaml.Node, key string) *yaml.Node {
	if root := doc.Content[0]; root.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value == key {
				return root.Content[i+1]
			}
		}
	}
	return &yaml.Node{}
}

// compactWidth is the widest map or list that is written on one line.
const compactWidth = 100

// compact writes small maps and lists on one line and returns the node's width.
func compact(n *yaml.Node) int {
	width := len(n.Value)
	for _, child := range n.Content {
		width += compact(child) + 2
	}
	multiline := n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if multiline {
		return compactWidth + 1
	}
	if (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && width <= compactWidth {
		n.Style |= yaml.FlowStyle
	}
	return width
}
