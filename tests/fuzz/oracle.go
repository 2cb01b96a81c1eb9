package fuzz

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/rig"
)

// oracles say what becomes of objects, by Kubernetes' own code (ci/modules/kubernetes): in a millisecond, and without a cluster.
type oracles struct {
	validate oracle // what an API server would say of an object that is created
	expand   oracle // what the kubelet starts containers with
}

func newOracles(t testing.TB) oracles {
	t.Helper()
	return oracles{newOracle(t, "validate"), newOracle(t, "expand")}
}

// oracle is a program that answers each line of JSON by one.
type oracle struct {
	in  io.Writer
	out *bufio.Reader
}

// newOracle starts the program. It ends with the test.
func newOracle(t testing.TB, name string) oracle {
	t.Helper()
	tools, err := rig.Tools(context.Background(), os.Stderr, name)
	require.NoError(t, err)
	program := exec.Command(filepath.Join(tools, name))
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
	return oracle{in, bufio.NewReader(out)}
}

// ask writes a question, and reads the answer into a pointer.
func (o oracle) ask(t testing.TB, question, answer any) {
	t.Helper()
	text, err := json.Marshal(question)
	require.NoError(t, err)
	_, err = o.in.Write(append(text, '\n'))
	require.NoError(t, err)
	line, err := o.out.ReadBytes('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(line, answer), "%s", line)
}
