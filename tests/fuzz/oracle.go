package fuzz

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
)

// oracle says what an API server would say of an object, by Kubernetes' own code (ci/modules/kubernetes/validate): in a
// millisecond, and without a cluster.
type oracle struct {
	in  io.Writer
	out *bufio.Reader
}

// newOracle starts the program. It ends with the test.
func newOracle(t testing.TB) *oracle {
	t.Helper()
	tools, err := rig.Tools(context.Background(), os.Stderr, "validate")
	require.NoError(t, err)
	program := exec.Command(filepath.Join(tools, "validate"))
	program.Stderr = os.Stderr
	in, err := program.StdinPipe()
	require.NoError(t, err)
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	t.Cleanup(func() {
		in.Close()
		program.Wait()
	})
	return &oracle{in, bufio.NewReader(out)}
}

// create returns why an object, in JSON, would not be created, and nil if it would be.
func (o *oracle) create(t testing.TB, object []byte) error {
	t.Helper()
	_, err := o.in.Write(object)
	require.NoError(t, err)
	line, err := o.out.ReadBytes('\n')
	require.NoError(t, err)
	var verdict struct{ Error string }
	require.NoError(t, json.Unmarshal(line, &verdict), "%s", line)
	if verdict.Error != "" {
		return errors.New(verdict.Error)
	}
	return nil
}
