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

	output, err := Run(t.Context(), 100, "sh", "-c", `sleep 1000 & echo $! >`+pid+`; echo token`)

	require.NoError(t, err, "what is left holds standard output open, and is ended before that is waited for")
	assert.Equal(t, "token\n", string(output.Stdout))
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

// endsBy is a context that ends by an error when it is cancelled.
type endsBy struct {
	context.Context
	err error
}

func (e endsBy) Err() error {
	if e.Context.Err() == nil {
		return nil
	}
	return e.err
}

func TestACommandThatDoesNotEndIsEndedSoonerWhenThisProgramEndsItself(t *testing.T) {
	t.Parallel()
	took := map[error]time.Duration{}
	for err, atLeast := range map[error]time.Duration{context.DeadlineExceeded: 2 * time.Second, context.Canceled: 500 * time.Millisecond} {
		deaf := filepath.Join(t.TempDir(), "deaf")
		inner, cancel := context.WithCancel(t.Context())
		var began time.Time
		go func() {
			for _, err := os.Stat(deaf); err != nil; _, err = os.Stat(deaf) {
				time.Sleep(time.Millisecond)
			}
			began = time.Now()
			cancel()
		}()

		_, ended := Run(endsBy{inner, err}, 100, "sh", "-c", "trap : TERM; : >"+deaf+"; while :; do sleep 1000; done")

		took[err] = time.Since(began)
		require.ErrorIs(t, ended, err)
		assert.GreaterOrEqual(t, took[err], atLeast)
	}
	assert.Less(t, took[context.Canceled], took[context.DeadlineExceeded])
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

func TestACommandHasNoSecretVariablesUnlessItIsGivenThem(t *testing.T) {
	for _, name := range []string{
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "VAULT_TOKEN", "BAO_TOKEN", "PGPASSWORD",
	} {
		t.Setenv(name, "secret")
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv(document.Variable, "secret")

	without, err := Run(t.Context(), 1<<20, "env")
	require.NoError(t, err)
	with, err := RunIn(t.Context(), EnvironmentWithSecrets(), 1<<20, "env")
	require.NoError(t, err)

	assert.NotContains(t, string(without.Stdout), "=secret\n")
	assert.Contains(t, string(without.Stdout), "AWS_REGION=eu-west-1\n")
	assert.Equal(t, 6, strings.Count(string(with.Stdout), "=secret\n"), "all but the document")
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
