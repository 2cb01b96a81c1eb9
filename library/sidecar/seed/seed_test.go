package seed

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// image makes a directory as an image may have one.
func image(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string, mode fs.FileMode) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		require.NoError(t, os.Chtimes(path, time.Unix(1e9, 0), time.Unix(1e9, 0)))
	}
	write("index.html", "hello", 0o644)
	write(".hidden", "", 0o600)
	write("a name with spaces\nand a line break/*", "star", 0o640)
	write("bin/run", "#!/bin/sh\n", 0o4755)
	require.NoError(t, os.Symlink("/nowhere", filepath.Join(dir, "bin/dangling")))
	require.NoError(t, os.Link(filepath.Join(dir, "index.html"), filepath.Join(dir, "bin/again.html")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o620))
	require.NoError(t, os.Chmod(filepath.Join(dir, "pipe"), 0o620))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "closed"), 0o755))
	write("closed/file", "x", 0o400)
	require.NoError(t, os.Chmod(filepath.Join(dir, "closed"), 0o555))
	require.NoError(t, os.Chtimes(filepath.Join(dir, "bin"), time.Unix(9e8, 0), time.Unix(9e8, 0)))
	return dir
}

// listed describes all that is in a directory.
func listed(t *testing.T, dir string) []string {
	t.Helper()
	output, err := exec.Command("find", dir, "-mindepth", "1", "-printf", `%P|%M|%U:%G|%T@|%s|%l|%n\n`).CombinedOutput()
	require.NoError(t, err, string(output))
	lines := slices.Collect(strings.Lines(string(output)))
	slices.Sort(lines)
	return lines
}

func TestWhatTheImageHasIsInTheVolumeWithModesLinksTimesAndOwners(t *testing.T) {
	t.Parallel()
	from, volume := image(t), t.TempDir()

	done, err := Copy(from, volume)

	require.NoError(t, err)
	assert.True(t, done)
	assert.Equal(t, listed(t, from), listed(t, volume))
	one, err := os.Stat(filepath.Join(volume, "index.html"))
	require.NoError(t, err)
	other, err := os.Stat(filepath.Join(volume, "bin/again.html"))
	require.NoError(t, err)
	assert.True(t, os.SameFile(one, other), "two names of one file stay that")
}

func TestAVolumeThatHasContentsIsNotTouched(t *testing.T) {
	t.Parallel()
	from, volume := image(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(volume, "index.html"), []byte("mine"), 0o644))
	before := listed(t, volume)

	done, err := Copy(from, volume)

	require.NoError(t, err)
	assert.False(t, done)
	assert.Equal(t, before, listed(t, volume))
}

func TestAFreshFileSystemsLostAndFoundIsNoContents(t *testing.T) {
	t.Parallel()
	from, volume := image(t), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(volume, "lost+found"), 0o700))

	done, err := Copy(from, volume)

	require.NoError(t, err)
	assert.True(t, done)
	assert.FileExists(t, filepath.Join(volume, "index.html"))
}

func TestACopyThatWasCutShortIsTakenUpAgainWhereverThatWas(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(t *testing.T, from, volume string){
		"before anything was copied": func(t *testing.T, _, volume string) {
			require.NoError(t, os.Mkdir(filepath.Join(volume, workName), 0o700))
		},
		"while it was copied": func(t *testing.T, _, volume string) {
			require.NoError(t, os.MkdirAll(filepath.Join(volume, workName, filesName, "closed"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(volume, workName, filesName, "closed/half"), []byte("x"), 0o400))
			require.NoError(t, os.Chmod(filepath.Join(volume, workName, filesName, "closed"), 0o555))
		},
		"while it was moved": func(t *testing.T, from, volume string) {
			require.NoError(t, os.Mkdir(filepath.Join(volume, workName), 0o700))
			require.NoError(t, copyTree(from, filepath.Join(volume, workName, filesName)))
			require.NoError(t, os.WriteFile(filepath.Join(volume, workName, completeName), nil, 0o600))
			require.NoError(t, os.Rename(filepath.Join(volume, workName, filesName, "index.html"), filepath.Join(volume, "index.html")))
		},
		"before its rest was removed": func(t *testing.T, from, volume string) {
			require.NoError(t, os.MkdirAll(filepath.Join(volume, workName, filesName), 0o700))
			require.NoError(t, copyTree(from, filepath.Join(volume, "all")))
			require.NoError(t, moveAll(filepath.Join(volume, "all"), volume))
			require.NoError(t, os.Remove(filepath.Join(volume, "all")))
			require.NoError(t, os.WriteFile(filepath.Join(volume, workName, completeName), nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, volume := image(t), t.TempDir()
			cut(t, from, volume)

			done, err := Copy(from, volume)

			require.NoError(t, err)
			assert.True(t, done)
			assert.Equal(t, listed(t, from), listed(t, volume))
		})
	}
}

func TestADirectoryThatTheImageDoesNotHaveIsSaidWithWhatToChange(t *testing.T) {
	t.Parallel()
	_, err := Copy(filepath.Join(t.TempDir(), "none"), t.TempDir())

	assert.ErrorContains(t, err, "/none; set seed: false on the volume, or correct its mountPath")
}

func TestACopyThatFailsIsSaidAndLeavesTheVolumeEmpty(t *testing.T) {
	t.Parallel()
	from, volume := image(t), t.TempDir()

	said, err := copyAsAnotherUser(t, from, volume)

	require.Error(t, err)
	assert.Contains(t, said, "cannot copy all of "+from+" as uid 65532: open "+from+"/.hidden: permission denied")
	assert.Empty(t, listed(t, volume))
}

func TestAUserWhoIsNotRootGetsAllWithTheirModes(t *testing.T) {
	t.Parallel()
	from, volume := image(t), t.TempDir()
	for _, own := range []string{".hidden", "closed/file", "a name with spaces\nand a line break/*"} {
		require.NoError(t, os.Chmod(filepath.Join(from, own), 0o444))
	}

	said, err := copyAsAnotherUser(t, from, volume)

	require.NoError(t, err, said)
	info, err := os.Stat(filepath.Join(volume, "closed"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o555), info.Mode().Perm())
	assert.Len(t, listed(t, volume), len(listed(t, from)))
}

const asAnotherUser = "OUTRIGGER_SEED_FROM"

func TestMain(m *testing.M) {
	if from, asked := os.LookupEnv(asAnotherUser); asked {
		if _, err := Copy(from, os.Getenv("OUTRIGGER_SEED_TO")); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// copyAsAnotherUser runs Copy in a process of uid 65532, who owns the volume.
func copyAsAnotherUser(t *testing.T, from, volume string) (said string, err error) {
	t.Helper()
	require.Zero(t, os.Getuid(), "this test gives files away, and so needs root")
	for _, dir := range []string{from, volume} {
		require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	require.NoError(t, os.Chown(volume, 65532, 65532))
	program := filepath.Join(filepath.Dir(volume), "seed.test")
	// By another process: a program that this one has open for writing while a test beside starts one cannot be run.
	require.NoError(t, exec.Command("cp", fmt.Sprintf("/proc/%d/exe", os.Getpid()), program).Run())
	command := exec.Command(program)
	command.Env = []string{asAnotherUser + "=" + from, "OUTRIGGER_SEED_TO=" + volume}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	output, err := command.CombinedOutput()
	return string(output), err
}
