package status

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/health"
)

func TestTheProgramOfTheEnvironmentsStateDirectoryIsAsked(t *testing.T) {
	t.Setenv(health.StateVariable, t.TempDir())
	require.NoError(t, health.Serve(t.Context(), health.SocketIn(health.StateDirectory()), health.Answers{Status: func() string { return "well\n" }}))
	command := Command()
	var shown bytes.Buffer
	command.SetOut(&shown)
	command.SetArgs([]string{})

	require.NoError(t, command.Execute())

	assert.Equal(t, "well\n", shown.String())
}
