package process

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACommandInheritsTheEnvironmentWithoutTheDocument(t *testing.T) {
	t.Setenv("OUTRIGGER_CONFIG", "{}")
	t.Setenv("OUTRIGGER_CONFIG_OTHER", "kept")

	output, err := Run(t.Context(), 1<<20, "env")

	require.NoError(t, err)
	assert.NotContains(t, string(output.Stdout), "OUTRIGGER_CONFIG=")
	assert.Contains(t, string(output.Stdout), "OUTRIGGER_CONFIG_OTHER=kept\n")
}

func TestOfStandardOutputTheBeginningIsKeptAndOfErrorsTheEnd(t *testing.T) {
	output, err := Run(t.Context(), 3, "sh", "-c", "printf abcdef; head -c 100000 /dev/zero >&2; printf end >&2")

	require.ErrorIs(t, err, ErrTooLong)
	assert.Equal(t, "abc", string(output.Stdout))
	assert.Len(t, output.Stderr, 64<<10)
	assert.True(t, strings.HasSuffix(string(output.Stderr), "end"))
}

func TestACommandThatIsTooSlowIsEndedWithAllThatItStarted(t *testing.T) {
	for name, trap := range map[string]string{"that hears SIGTERM": "", "that does not": "trap '' TERM; "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mark := filepath.Join(t.TempDir(), "mark")
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			begun := time.Now()

			_, err := Run(ctx, 1, "sh", "-c", trap+"(sleep 4; : >"+mark+") & sleep 30")

			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Less(t, time.Since(begun), 20*time.Second)
			time.Sleep(time.Until(begun.Add(5 * time.Second)))
			assert.NoFileExists(t, mark, "what it started goes on")
		})
	}
}

func TestWhatACommandLeavesInItsGroupEndsWithIt(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	command := exec.Command("sh", "-c", "(sleep 1; : >"+mark+") & exit 0")

	require.NoError(t, Start(command))
	require.NoError(t, Wait(command))

	time.Sleep(2 * time.Second)
	assert.NoFileExists(t, mark)
}
