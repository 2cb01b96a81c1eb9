package judge

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
)

// Marked returns the names of the tests in a folder whose first statement is a mark: a call such as "harness.Soak(t)". That
// there is none is an error.
func Marked(folder, mark string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declared := range file.Decls {
			test, isFunction := declared.(*ast.FuncDecl)
			if !isFunction || !strings.HasPrefix(test.Name.Name, "Test") || len(test.Body.List) == 0 {
				continue
			}
			if first, ok := test.Body.List[0].(*ast.ExprStmt); ok && types.ExprString(first.X) == mark {
				names = append(names, test.Name.Name)
			}
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no test in %s begins with %s", folder, mark)
	}
	slices.Sort(names)
	return names, nil
}
