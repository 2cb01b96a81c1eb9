package harness

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// AskProgram runs a program that reads a question in JSON from standard input, and reads what it prints, in JSON too, into a
// pointer.
func AskProgram(t testing.TB, program string, question, answer any) {
	t.Helper()
	input, err := json.Marshal(question)
	require.NoError(t, err)
	command := exec.Command(program)
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(output, answer))
}
