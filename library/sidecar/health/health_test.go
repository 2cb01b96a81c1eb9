package health

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func serve(t *testing.T, answers Answers) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "health.sock")
	require.NoError(t, Serve(t.Context(), path, answers))
	return path
}

func TestAProgramSaysYesOrNoAndWhy(t *testing.T) {
	t.Parallel()
	path := serve(t, Answers{
		Questions: map[string]Question{
			"started": func() error { return nil },
			"ready":   func() error { return errors.New("the credential in use has expired") },
		},
		Status: func() string { return "one\ntwo\n" },
	})

	text, err := Ask(path, "started", time.Minute)
	require.NoError(t, err)
	assert.Empty(t, text)

	_, err = Ask(path, "ready", time.Minute)
	assert.EqualError(t, err, "the credential in use has expired")

	text, err = Ask(path, "status", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, "one\ntwo\n", text)

	_, err = Ask(path, "happy", time.Minute)
	assert.EqualError(t, err, `this program knows nothing of "happy"`)
}

func TestNobodyAnswersBeforeTheProgramRuns(t *testing.T) {
	t.Parallel()
	_, err := Ask(filepath.Join(t.TempDir(), "health.sock"), "started", time.Minute)

	assert.ErrorContains(t, err, "the program does not answer yet")
}

func TestASocketThatAKilledProgramLeftIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "health.sock")
	left, err := net.Listen("unix", path)
	require.NoError(t, err)
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, left.Close())
	require.FileExists(t, path)

	require.NoError(t, Serve(t.Context(), path, Answers{Questions: map[string]Question{"live": func() error { return nil }}}))

	_, err = Ask(path, "live", time.Minute)
	assert.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it is of this container's user alone")
}

func TestAProgramThatHangsIsNotWaitedForLongerThanIsSaid(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	t.Cleanup(func() { close(hung) })
	path := serve(t, Answers{Questions: map[string]Question{"live": func() error { <-hung; return nil }}})

	_, err := Ask(path, "live", 50*time.Millisecond)

	assert.EqualError(t, err, "the program did not answer within 50ms")
}

func TestAPathThatNoSocketMayHaveIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	err := Serve(context.Background(), "/tmp/"+strings.Repeat("x", 96), Answers{})

	assert.ErrorContains(t, err, "the socket's path has 101 bytes, and 100 are the most")
}

func TestATimeOfAStatusSaysHowFarItIs(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for span, told := range map[time.Duration]string{
		90 * time.Second:        "2026-01-02T12:01:30Z (in 1m30s)",
		0:                       "2026-01-02T12:00:00Z (0s ago)",
		-300 * time.Millisecond: "2026-01-02T11:59:59Z (0s ago)",
		-time.Hour:              "2026-01-02T11:00:00Z (1h0m0s ago)",
	} {
		assert.Equal(t, told, When(now.Add(span), now))
	}
}
