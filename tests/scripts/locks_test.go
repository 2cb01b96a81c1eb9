package scripts

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// locks returns the files of a repository's locks, without those that are not written yet.
func (a *archive) locks() []string {
	a.t.Helper()
	found, err := filepath.Glob(filepath.Join(a.folder, "locks", strings.Repeat("?", 64)))
	require.NoError(a.t, err)
	return found
}

// The lock was left by a restic that was killed, on a host of another name.
func TestALockThatSomebodyWhoWasKilledHasLeftKeepsNoBackupFromBeingMade(t *testing.T) {
	t.Parallel()
	archive := newArchive(t, "restic")
	lock, err := os.ReadFile("testdata/repository/lock")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(archive.folder, "locks", fmt.Sprintf("%x", sha256.Sum256(lock))), lock, 0o644))

	reported, code := archive.instance("demo-app").backUp(sixtyDays()[0])

	assert.Zero(t, code)
	assert.Equal(t, "success", reported["result"])
	assert.Len(t, archive.snapshots(), 1)
	assert.Empty(t, archive.locks())
}

// heldByAnother starts a restic that has the repository to itself, and stands still.
func (a *archive) heldByAnother() *exec.Cmd {
	a.t.Helper()
	programs, err := storePrograms()
	require.NoError(a.t, err)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		other := exec.Command(filepath.Join(programs, "restic"), "-r", a.folder, "--no-cache", "check")
		other.Env = []string{"RESTIC_PASSWORD=password"}
		require.NoError(a.t, other.Start())
		a.t.Cleanup(func() { _ = other.Process.Kill() })
		for len(a.locks()) == 0 && time.Now().Before(deadline) {
			continue // it has its lock for a fraction of a second
		}
		// It goes on for a moment, and may come to its end, until it is seen to stand still.
		require.NoError(a.t, other.Process.Signal(syscall.SIGSTOP))
		var state syscall.WaitStatus
		_, err := syscall.Wait4(other.Process.Pid, &state, syscall.WUNTRACED, nil)
		require.NoError(a.t, err)
		if state.Stopped() && len(a.locks()) == 1 {
			return other
		}
		_ = other.Process.Kill()
		_ = other.Wait()
	}
	require.Fail(a.t, "no restic stood still with a lock", "within %s", patience)
	return nil
}

func TestTheLockOfARunOfItsOwnThatWasKilledIsRemovedAtOnce(t *testing.T) {
	t.Parallel()
	archive := newArchive(t, "restic")
	killed := archive.heldByAnother()
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait())

	reported, code := archive.instance("demo-app", "OWN_HOST=yes").backUp(sixtyDays()[0])

	assert.Zero(t, code)
	assert.Equal(t, "success", reported["result"])
	assert.Empty(t, archive.locks())
}

func TestABackupWaitsForOneWhoHasTheRepositoryToHimself(t *testing.T) {
	t.Parallel()
	archive := newArchive(t, "restic")
	demo := archive.instance("demo-app")
	other := archive.heldByAnother()
	held := archive.locks()

	waited := make(chan bool)
	go func() {
		defer close(waited)
		assert.Eventually(t, func() bool { return strings.Contains(demo.calls(), "restic --retry-lock") }, patience, 10*time.Millisecond, "the backup waits")
		assert.Equal(t, held, archive.locks(), "a lock that somebody has is not removed")
		assert.NoError(t, other.Process.Signal(syscall.SIGCONT))
		assert.NoError(t, other.Wait())
	}()
	reported, code := demo.backUp(sixtyDays()[0])
	<-waited

	assert.Zero(t, code)
	assert.Equal(t, "success", reported["result"])
}
