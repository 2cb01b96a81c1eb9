package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
)

func TestAPreparedRepositoryIsOneOfResticsWithItsPasswordAlone(t *testing.T) {
	t.Parallel()
	tools, err := rig.Tools(t.Context(), os.Stderr, "restic")
	require.NoError(t, err)
	folder := t.TempDir()
	files, err := resticRepository("the password")
	require.NoError(t, err)
	for name, content := range files {
		file := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, content, 0o600))
	}
	restic := func(password string, args ...string) (string, error) {
		command := exec.Command(filepath.Join(tools, "restic"), append([]string{"--no-cache", "--repo", folder}, args...)...)
		command.Env = append(os.Environ(), "RESTIC_PASSWORD="+password)
		printed, err := command.CombinedOutput()
		return string(printed), err
	}

	saved, err := restic("the password", "backup", "repository_test.go")
	require.NoError(t, err, saved)
	checked, err := restic("the password", "check", "--read-data")
	require.NoError(t, err, checked)
	refused, err := restic("another password", "snapshots")

	assert.Contains(t, checked, "no errors were found")
	assert.Error(t, err)
	assert.Contains(t, refused, "wrong password or no key found")
}
