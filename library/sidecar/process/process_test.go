package process

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
)

func TestACommandsExitCodeAndItsOutputAreKept(t *testing.T) {
	t.Parallel()
	output, err := Run(t.Context(), 100, "sh", "-c", "echo out; echo error >&2; exit 3")

	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 3, exit.ExitCode())
	assert.Equal(t, Output{Stdout: []byte("out\n"), Stderr: []byte("error\n")}, output)
}

func TestWhatACommandLeavesBehindNeitherHoldsItUpNorLivesOn(t *testing.T) {
	t.Parallel()
	pid := filepath.Join(t.TempDir(), "pid")
	began := time.Now()

	output, err := Run(t.Context(), 100, "sh", "-c", `sleep 1000 & echo $! >`+pid+`; echo token`)

	require.NoError(t, err, "what is left holds standard output open, and that is no failure")
	assert.Equal(t, "token\n", string(output.Stdout))
	assert.Less(t, time.Since(began), 900*time.Millisecond)
	text, err := os.ReadFile(pid)
	require.NoError(t, err)
	left, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return ended(left) }, time.Minute, time.Millisecond)
}

// ended tells whether a process is gone, or is only waited for by whoever has inherited it.
func ended(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestACommandThatDoesNotEndIsEndedSoonerWhenThisProgramEndsItself(t *testing.T) {
	t.Parallel()
	const stubborn = `trap : TERM; while :; do sleep 1000; done`
	for name, c := range map[string]struct {
		context  func(context.Context) (context.Context, context.CancelFunc)
		from, to time.Duration
	}{
		"a time that is up": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}, 2 * time.Second, time.Minute},
		"the program's end": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		}, 500 * time.Millisecond, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := c.context(t.Context())
			defer cancel()
			began := time.Now()

			_, err := Run(ctx, 100, "sh", "-c", stubborn)

			require.ErrorIs(t, err, ctx.Err())
			assert.GreaterOrEqual(t, time.Since(began), c.from)
			assert.Less(t, time.Since(began), c.to)
		})
	}
}

func TestACommandHasTheProgramsEnvironmentLessTheDocumentOrItsOwn(t *testing.T) {
	t.Setenv(document.Variable, "secret")
	t.Setenv("OF_THE_CONTAINER", "here")

	output, err := Run(t.Context(), 1<<20, "env")

	require.NoError(t, err)
	assert.Contains(t, string(output.Stdout), "OF_THE_CONTAINER=here\n")
	assert.NotContains(t, string(output.Stdout), document.Variable)

	output, err = RunIn(t.Context(), []string{"OWN=1"}, 1<<20, "env")

	require.NoError(t, err)
	assert.Equal(t, "OWN=1\n", string(output.Stdout))
}

func TestMoreOutputThanIsAskedForIsAnErrorAndNotKept(t *testing.T) {
	t.Parallel()
	output, err := Run(t.Context(), 5, "sh", "-c", "printf 123456")

	require.ErrorIs(t, err, ErrTooLong)
	assert.Equal(t, "12345", string(output.Stdout))
}

func TestAnOrphanIsBuriedAndNoExitCodeIsLost(t *testing.T) {
	Reap(t.Context())
	for range 50 {
		// A process of another group, which nothing but its parent's end makes an orphan.
		output, err := Run(t.Context(), 100, "sh", "-c", `setsid sh -c 'sleep 0.01' & echo $!; exit 7`)

		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 7, exit.ExitCode())
		orphan, err := strconv.Atoi(strings.TrimSpace(string(output.Stdout)))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return syscall.Kill(orphan, 0) == syscall.ESRCH }, time.Minute, time.Millisecond)
	}
}
