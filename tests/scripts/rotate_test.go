package scripts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rotates makes the supervisor rotate a file at so many bytes, and look at it often.
func (v *supervision) rotates(file string, bytes, keep int) {
	v.env = append(v.env, "WATCH_SECONDS=0.1", "DRAIN_SECONDS=30",
		"ROTATE_FILES="+v.path(file), fmt.Sprintf("ROTATE_BYTES=%d", bytes), fmt.Sprintf("ROTATE_KEEP=%d", keep))
}

func (v *supervision) size(name string) int64 {
	v.t.Helper()
	info, err := os.Stat(v.path(name))
	require.NoError(v.t, err)
	return info.Size()
}

func TestAFileOfAnAppThatAppendsIsRotatedAndNothingIsLost(t *testing.T) {
	t.Parallel()
	v := newSupervision(t, "app.log", "app.log.[0-9]*")
	v.rotates("app.log", 50_000, 2)
	s := v.start()

	for rotation := range 3 {
		v.write("app.log", text(counted("app", rotation*1000+1, rotation*1000+1000)))
		s.await("the rotation", func() bool {
			return strings.Count(s.errors.String(), "outrigger: rotated "+v.path("app.log")+" at ") == rotation+1
		})
	}
	v.write("app.log", text(counted("app", 3001, 3100)))
	v.stop(s)

	v.requireAll(s, "app", 3100)
	entries, err := filepath.Glob(v.path("*"))
	require.NoError(t, err)
	require.ElementsMatch(t, []string{v.path("app.log"), v.path("app.log.1"), v.path("app.log.2")}, entries)
}

func TestAFileThatTheSidecarMayNotChangeIsLeftAloneAndNamedAndTheVolumesAreWarnedOfAllTheSame(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root's files are out of another user's reach")
	}
	for name, protect := range map[string]func(v *supervision){
		"another user's file":           func(v *supervision) { require.NoError(t, os.Chmod(v.logs, 0o777)) },
		"a folder that is not writable": func(v *supervision) { require.NoError(t, os.Chmod(v.path("app.log"), 0o666)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newSupervision(t, "app.log", "app.log.[0-9]*")
			v.rotates("app.log", 10_000, 1)
			v.env = append(v.env, fmt.Sprintf("VOLUMES=%d %s", 1<<20, v.logs))
			v.asOtherUser()
			v.write("app.log", "first\n")
			protect(v)
			s := v.start()

			v.write("app.log", text(counted("app", 1, 1000)))
			s.awaitError(fmt.Sprintf("warning: %s is not rotated: uid %d may not change it; run the sidecar as the app's user (securityContext.runAsUser)\n", v.path("app.log"), otherUser))
			v.write("other", strings.Repeat("x", 1<<20))
			s.awaitError("warning: " + v.logs + " holds ")
			v.stop(s)

			v.requireAll(s, "app", 1000)
			assert.NotContains(t, s.errors.String(), "can't create")
			assert.Equal(t, 1, strings.Count(s.errors.String(), "is not rotated"), s.errors.String())
			assert.False(t, exists(v.path("app.log.1")), "a copy of what is not truncated")
			assert.Equal(t, len("first\n"+text(counted("app", 1, 1000))), int(v.size("app.log")))
		})
	}
}

func TestAWatcherThatEndsIsStartedAgain(t *testing.T) {
	t.Parallel()
	v := newSupervision(t)
	s := v.agent(idle, "WATCH_SECONDS=0.1", fmt.Sprintf("VOLUMES=%d %s", 1<<20, v.logs))
	var watcher int
	s.await("the watcher", func() bool {
		watcher = childLike(s.command.Process.Pid)
		return watcher != 0
	})

	require.NoError(t, syscall.Kill(watcher, syscall.SIGKILL))
	s.awaitError("outrigger: warning: what watches the files and volumes has ended; it is started again\n")
	v.write("file", strings.Repeat("x", 1<<20))

	s.awaitError("warning: " + v.logs + " holds ")
	v.stop(s)
}

// childLike returns a child of a process that runs the same program with the same arguments, as a part of a shell does.
func childLike(parent int) int {
	own, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", parent))
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	for _, child := range strings.Fields(string(children)) {
		if of, _ := os.ReadFile("/proc/" + child + "/cmdline"); bytes.Equal(of, own) {
			pid, _ := strconv.Atoi(child)
			return pid
		}
	}
	return 0
}
