package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// names are those of a directory's entries.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

func TestAFileIsReplacedAsAWholeWithItsMode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credential")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))
	before, err := os.Stat(path)
	require.NoError(t, err)

	require.NoError(t, Replace(path, []byte("after"), 0o444))

	after, err := os.Stat(path)
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "after", string(content))
	assert.Equal(t, os.FileMode(0o444), after.Mode())
	assert.False(t, os.SameFile(before, after))
	assert.Equal(t, []string{"credential"}, names(t, filepath.Dir(path)))
}

func TestAFailureLeavesNothingBesideTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credential")
	require.NoError(t, os.Mkdir(path, 0o700), "which no file replaces")

	require.Error(t, Replace(path, []byte("after"), 0o600))

	assert.Equal(t, []string{"credential"}, names(t, filepath.Dir(path)))
}

func TestAReplacementThatIsKilledAfterAnyStepLeavesAWholeFile(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		"created": "before", "allowed": "before", "filled": "before", "closed": "before", "renamed": "after, which is longer",
	} {
		path := filepath.Join(t.TempDir(), "credential")
		require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))

		assert.PanicsWithValue(t, step, func() {
			_ = ReplaceStepwise(path, strings.NewReader("after, which is longer"), 0o600, func(made string) {
				if made == step {
					panic(step)
				}
			})
		})

		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, want, string(content), step)
		assert.Len(t, names(t, filepath.Dir(path)), map[bool]int{true: 1, false: 2}[step == "renamed"], "nobody cleans up: %s", step)
		Sweep(path)
		assert.Equal(t, []string{"credential"}, names(t, filepath.Dir(path)), step)
	}
}

func TestWhatAKilledWriterLeftIsSweptAndNobodyElses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	others := []string{".outrigger-credential-b-12.new", ".outrigger-pool-12.new", ".outrigger-credential-x.new", ".outrigger-pool", "credential"}
	for _, name := range append(others, ".outrigger-credential-12.new") {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}

	Sweep(filepath.Join(dir, "credential"))

	assert.ElementsMatch(t, others, names(t, dir))
}
