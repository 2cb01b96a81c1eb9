package scripts

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where the program and the one of its probes are, readable by every user, once program has been called.
var (
	programPath string
	probePath   string
)

// program builds both, and returns the program's path.
func program(t *testing.T) string {
	t.Helper()
	path, err := builtProgram()
	require.NoError(t, err)
	return path
}

var builtProgram = sync.OnceValues(func() (string, error) {
	dir := filepath.Dir(appletDir)
	programPath, probePath = filepath.Join(dir, "outrigger"), filepath.Join(dir, "outrigger-probe")
	const module = "../../library"
	build := exec.Command("go", "build", "-o", dir, "./cmd/outrigger", "./cmd/outrigger-probe")
	build.Dir = module
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the program cannot be built: %w\n%s", err, output)
	}
	// What a test has read tells go test whether what it found last time still holds, and what the build has read does
	// not.
	return programPath, filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" && entry.Name() != "go.mod" {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
})
