package files

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is written is read by other containers of the pod, while that lives: a refresh that waited for disks would wait for
// all that the node's pods have written.
func TestNothingWaitsForTheDisksOfTheNode(t *testing.T) {
	t.Parallel()
	waits := []string{"Sync", "Fsync", "Fdatasync", "Syncfs", "SyncFileRange", "O_SYNC", "O_DSYNC"}
	parsed, read := token.NewFileSet(), 0
	require.NoError(t, filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(parsed, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		read++
		ast.Inspect(file, func(node ast.Node) bool {
			if name, ok := node.(*ast.SelectorExpr); ok {
				assert.NotContains(t, waits, name.Sel.Name, "%s", parsed.Position(name.Pos()))
			}
			return true
		})
		return nil
	}))
	assert.Greater(t, read, 30)
}
