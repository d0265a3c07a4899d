// Command conditions writes docs/conditions.md from the comments of the constants that name condition types and reasons,
// and from the types of steps that plans can have. A constant without a comment is an error.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/drydock-db/drydock/ops"
)

//go:embed conditions.md.tmpl
var page string

// row is one line of a table.
type row struct{ Name, Text string }

// tables are the parts of the page.
type tables struct {
	RequestTypes, RequestReasons, Steps, DatabaseTypes, DatabaseReasons []row
}

func main() {
	log.SetFlags(0)
	root := flag.String("root", ".", "the repository")
	out := flag.String("out", "docs/conditions.md", "file to write")
	flag.Parse()
	if err := run(*root, *out); err != nil {
		log.Fatal("conditions: ", err)
	}
}

func run(root, out string) error {
	var t tables
	for _, part := range []struct {
		table  *[]row
		prefix string
		dirs   []string
	}{
		{&t.RequestTypes, "Condition", []string{"apis/ops/v1alpha1"}},
		{&t.RequestReasons, "Reason", []string{"apis/ops/v1alpha1", "ops", "internal/steps"}},
		{&t.DatabaseTypes, "Condition", []string{"apis/kubedb/v1"}},
		{&t.DatabaseReasons, "Reason", []string{"apis/kubedb/v1", "controllers"}},
	} {
		for _, dir := range part.dirs {
			rows, err := constants(filepath.Join(root, dir), part.prefix)
			if err != nil {
				return err
			}
			*part.table = append(*part.table, rows...)
		}
	}
	for _, s := range ops.StepTypes() {
		t.Steps = append(t.Steps, row{s.Type, s.Description})
	}
	tmpl, err := template.New("conditions").Parse(page)
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	var text strings.Builder
	if err := tmpl.Execute(&text, t); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return os.WriteFile(out, []byte(text.String()), 0o644) //nolint:gosec // a document for everybody
}

// constants are the string constants of a package whose names begin with the prefix, in either case, in order of their
// files and places.
func constants(dir, prefix string) ([]row, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no Go files in %s: %w", dir, fs.ErrNotExist))
	}
	slices.Sort(files)
	var rows []row
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		for _, d := range file.Decls {
			found, err := constantsOf(d, prefix)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			rows = append(rows, found...)
		}
	}
	return rows, nil
}

func constantsOf(d ast.Decl, prefix string) ([]row, error) {
	group, ok := d.(*ast.GenDecl)
	if !ok || group.Tok != token.CONST {
		return nil, nil
	}
	var rows []row
	for _, s := range group.Specs {
		spec, ok := s.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || !named(spec.Names[0].Name, prefix) {
			continue
		}
		text := literal(spec)
		if text == "" {
			continue
		}
		comment := comment(group, spec)
		if comment == "" {
			return nil, fmt.Errorf("%s has no comment that says what it means", spec.Names[0].Name)
		}
		rows = append(rows, row{text, comment})
	}
	return rows, nil
}

// literal is the string that a constant is; empty where it is something else.
func literal(spec *ast.ValueSpec) string {
	if len(spec.Values) != 1 {
		return ""
	}
	value, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || value.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(value.Value)
	if err != nil {
		return "" // the parser has read it, so this cannot be
	}
	return text
}

func named(name, prefix string) bool {
	rest, ok := strings.CutPrefix(strings.ToUpper(name[:1])+name[1:], prefix)
	return ok && rest != ""
}

// comment is what the constant's comment says of it, without its name and the verb.
func comment(group *ast.GenDecl, spec *ast.ValueSpec) string {
	doc := spec.Doc
	if doc == nil && len(group.Specs) == 1 {
		doc = group.Doc
	}
	if doc == nil {
		doc = spec.Comment
	}
	text := strings.Join(strings.Fields(doc.Text()), " ")
	for _, lead := range []string{spec.Names[0].Name + ": ", spec.Names[0].Name + " is ", spec.Names[0].Name + " means that ", spec.Names[0].Name + " "} {
		if rest, ok := strings.CutPrefix(text, lead); ok {
			text = rest
			break
		}
	}
	return text
}
