package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// scalars are the types that are written as one value, whatever their Go type is.
var scalars = map[string]string{
	"k8s.io/apimachinery/pkg/api/resource.Quantity":   "quantity",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":       "string",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":  "string",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString": "intOrString",
	"k8s.io/apimachinery/pkg/types.UID":               "string",
	"string":                                          "string",
	"bool":                                            "boolean",
	"int32":                                           "integer",
	"int64":                                           "integer",
	"float64":                                         "number",
}

// left are the fields that the cluster fills in: no chart writes them.
var left = []string{"managedFields", "status"}

// reader reads Go types out of the sources of modules.
type reader struct {
	modules  map[string]string  // folder by path
	packages map[string]*source // by path
	from     map[string]string  // package by the name of a type in types
	types    map[string]map[string]string
}

// source is what a package declares.
type source struct {
	path  string
	types map[string]declaration
}

type declaration struct {
	expr    ast.Expr
	imports map[string]string // path by name, of the file
}

// named returns how a field of a named type is noted, and notes the type itself if it is a struct.
func (r *reader) named(pkg, name string) (string, error) {
	if scalar, ok := scalars[strings.TrimPrefix(pkg+"."+name, ".")]; ok {
		return scalar, nil
	}
	source, err := r.source(pkg)
	if err != nil {
		return "", err
	}
	declared, ok := source.types[name]
	if !ok {
		return "", fmt.Errorf("%s has no type %s", pkg, name)
	}
	structure, ok := declared.expr.(*ast.StructType)
	if !ok {
		return r.noted(source, declared.imports, declared.expr)
	}
	if from, ok := r.from[name]; ok {
		if from != pkg {
			return "", fmt.Errorf("both %s and %s have a type %s", from, pkg, name)
		}
		return name, nil
	}
	r.from[name] = pkg
	fields := map[string]string{}
	r.types[name] = fields
	return name, r.fields(source, declared.imports, structure, fields)
}

// fields notes the fields of a struct, those of inlined structs among them.
func (r *reader) fields(s *source, imports map[string]string, structure *ast.StructType, into map[string]string) error {
	for _, field := range structure.Fields.List {
		if field.Tag == nil {
			return fmt.Errorf("%s: a field %v has no tag", s.path, field.Names)
		}
		tag, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		switch {
		case name == "-" || slices.Contains(left, name):
		case name == "" && len(field.Names) == 0: // embedded
			if err := r.inline(s, imports, field.Type, into); err != nil {
				return err
			}
		case name == "":
			return fmt.Errorf("%s: a field %v has no JSON name", s.path, field.Names)
		default:
			if into[name], err = r.noted(s, imports, field.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reader) inline(s *source, imports map[string]string, expr ast.Expr, into map[string]string) error {
	pkg, name := resolve(s, imports, expr)
	source, err := r.source(pkg)
	if err != nil {
		return err
	}
	structure, ok := source.types[name].expr.(*ast.StructType)
	if !ok {
		return fmt.Errorf("%s.%s is inlined and no struct", pkg, name)
	}
	return r.fields(source, source.types[name].imports, structure, into)
}

// noted returns how a type is noted: a scalar, the name of a type, []type, or map[]type.
func (r *reader) noted(s *source, imports map[string]string, expr ast.Expr) (string, error) {
	prefix := ""
	switch e := expr.(type) {
	case *ast.StarExpr:
		return r.noted(s, imports, e.X)
	case *ast.ArrayType:
		if element, ok := e.Elt.(*ast.Ident); ok && element.Name == "byte" {
			return "string", nil // base64
		}
		prefix, expr = "[]", e.Elt
	case *ast.MapType:
		prefix, expr = "map[]", e.Value
	case *ast.Ident, *ast.SelectorExpr:
		return r.named(resolve(s, imports, e))
	default:
		return "", fmt.Errorf("%s: unexpected %T", s.path, e)
	}
	element, err := r.noted(s, imports, expr)
	return prefix + element, err
}

// resolve returns a type's package, "" for a type of Go's own, and its name.
func resolve(s *source, imports map[string]string, expr ast.Expr) (pkg, name string) {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return resolve(s, imports, e.X)
	case *ast.SelectorExpr:
		return imports[e.X.(*ast.Ident).Name], e.Sel.Name
	}
	name = expr.(*ast.Ident).Name
	if _, ok := scalars[name]; ok {
		return "", name
	}
	return s.path, name
}

// source parses a package, once.
func (r *reader) source(pkg string) (*source, error) {
	if known := r.packages[pkg]; known != nil {
		return known, nil
	}
	dir := ""
	for module, moduleDir := range r.modules {
		if rest, ok := strings.CutPrefix(pkg, module+"/"); ok {
			dir = filepath.Join(moduleDir, rest)
		}
	}
	if dir == "" {
		return nil, fmt.Errorf("no module for %q", pkg)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	s := &source{path: pkg, types: map[string]declaration{}}
	r.packages[pkg] = s
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".pb.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, entry.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.read(file)
	}
	return s, nil
}

func (s *source) read(file *ast.File) {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = target
	}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || general.Tok != token.TYPE {
			continue
		}
		for _, spec := range general.Specs {
			typeSpec := spec.(*ast.TypeSpec)
			s.types[typeSpec.Name.Name] = declaration{typeSpec.Type, imports}
		}
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
