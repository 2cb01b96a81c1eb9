package install

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// image makes a directory with the programs.
func image(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range Programs {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content+name), 0o555))
	}
	return dir
}

func TestTheProgramsAreThereForEveryUser(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()

	require.NoError(t, Into(volume, image(t, "new ")))

	for _, name := range Programs {
		content, err := os.ReadFile(filepath.Join(volume, name))
		require.NoError(t, err)
		assert.Equal(t, "new "+name, string(content))
		info, err := os.Stat(filepath.Join(volume, name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o755), info.Mode().Perm())
	}
	entries, err := os.ReadDir(volume)
	require.NoError(t, err)
	assert.Len(t, entries, len(Programs))
}

func TestProgramsThatAreThereAreReplacedWhenThePodsSandboxIsMadeAnew(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	require.NoError(t, Into(volume, image(t, "old ")))
	running, err := os.Open(filepath.Join(volume, "outrigger"))
	require.NoError(t, err)
	defer running.Close()

	require.NoError(t, Into(volume, image(t, "new ")))

	content := make([]byte, 3)
	_, err = running.Read(content)
	require.NoError(t, err)
	assert.Equal(t, "old", string(content), "who runs it goes on with what he has")
}

func TestAFailureNamesTheProgramAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	volume, from := t.TempDir(), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(from, "outrigger"), 0o755))

	err := Into(volume, from)

	assert.ErrorContains(t, err, "cannot install outrigger into "+volume)
	entries, err := os.ReadDir(volume)
	require.NoError(t, err)
	assert.Empty(t, entries)
}
