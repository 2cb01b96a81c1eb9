package harness

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// RenderedFolder is the environment variable that names the folder, by its absolute path, in which every render leaves
// what it rendered. `make test` sets it, for the API server to be asked about all of it.
const RenderedFolder = "OUTRIGGER_RENDERED"

// Rendered is a document that some test rendered, with the first test that did.
type Rendered struct {
	Test, KubeVersion string
	Document          string
}

// keepRendered leaves the documents of rendered templates in the folder that RenderedFolder names, each distinct one
// once. Tests of several packages do so at the same time.
func keepRendered(t testing.TB, kubeVersion string, texts map[string]string) {
	t.Helper()
	folder := os.Getenv(RenderedFolder)
	if folder == "" {
		return
	}
	require.NoError(t, os.MkdirAll(folder, 0o755))
	for _, document := range documents(texts) {
		file := filepath.Join(folder, fmt.Sprintf("%x.json", sha256.Sum256(document)))
		if _, err := os.Stat(file); err == nil {
			continue
		}
		data, err := json.Marshal(Rendered{t.Name(), kubeVersion, string(document)})
		require.NoError(t, err)
		partial, err := os.CreateTemp(folder, "partial-")
		require.NoError(t, err)
		_, err = partial.Write(data)
		require.NoError(t, err)
		require.NoError(t, partial.Close())
		require.NoError(t, os.Rename(partial.Name(), file))
	}
}

// ReadRendered returns the documents in the folder that RenderedFolder names. Without that variable the test is skipped,
// which `make test` takes for a failure.
func ReadRendered(t testing.TB) []Rendered {
	t.Helper()
	folder := os.Getenv(RenderedFolder)
	if folder == "" {
		t.Skipf("%s names no folder of rendered documents. To make one: %[1]s=/tmp/rendered go test -count=1 ./tests/render", RenderedFolder)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	var all []Rendered
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var rendered Rendered
		require.NoError(t, json.Unmarshal(data, &rendered), file)
		all = append(all, rendered)
	}
	return all
}
