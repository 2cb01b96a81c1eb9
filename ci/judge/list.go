package judge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"strconv"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/proc"
)

// List returns what `go test` would run of the packages that match, tests, fuzz targets and examples, without building or
// running anything: go list writes the main function of each package's tests, which names them. A package that has a test
// file and no test is listed without any; one that cannot be parsed is an error.
func List(ctx context.Context, log io.Writer, dir string, args ...string) (Want, error) {
	printed, err := proc.Run(ctx, proc.Cmd{
		Args: append([]string{"go", "list", "-test", "-json=ImportPath,ForTest,GoFiles"}, args...), Dir: dir, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return listed(printed)
}

func listed(printed string) (Want, error) {
	want := Want{}
	for decoder := json.NewDecoder(strings.NewReader(printed)); ; {
		var p struct {
			ImportPath, ForTest string
			GoFiles             []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return want, nil
		} else if err != nil {
			return nil, err
		}
		name, isMain := strings.CutSuffix(p.ImportPath, ".test")
		if !isMain || p.ForTest != "" {
			continue
		}
		if len(p.GoFiles) != 1 {
			return nil, fmt.Errorf("go list says of %s that its files are %q, not the one that names its tests", p.ImportPath, p.GoFiles)
		}
		names, err := namedIn(p.GoFiles[0])
		if err != nil {
			return nil, err
		}
		want[name] = names
	}
}

// namedIn returns the tests, fuzz targets and examples that a main function of tests names.
func namedIn(path string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	names := []string{}
	tables := 0
	for _, declaration := range file.Decls {
		variable, isVariable := declaration.(*ast.GenDecl)
		if !isVariable || variable.Tok != token.VAR {
			continue
		}
		spec := variable.Specs[0].(*ast.ValueSpec)
		switch spec.Names[0].Name {
		case "tests", "fuzzTargets", "examples":
			tables++
			for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
				name, err := strconv.Unquote(row.(*ast.CompositeLit).Elts[0].(*ast.BasicLit).Value)
				if err != nil {
					return nil, err
				}
				names = append(names, name)
			}
		}
	}
	if tables != 3 {
		return nil, fmt.Errorf("%s does not name tests, fuzz targets and examples as Go's own test mains do", path)
	}
	return names, nil
}
