package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/health"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

// asProgram is the variable with which this test's executable is the program.
const asProgram = "OUTRIGGER_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// verbs are the program's own, without those that cobra adds.
var verbs = []string{"install", "pgbouncer", "seed", "status", "token"}

// machine is one that a person tries the program on: a folder for what examples have in /tmp, and one with the program.
type machine struct {
	t            *testing.T
	tmp, program string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	// Not t.TempDir(), whose path is longer than a socket's may be.
	tmp, err := os.MkdirTemp("", "")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	m := machine{t, tmp, filepath.Join(t.TempDir(), "bin")}
	require.NoError(t, os.Mkdir(m.program, 0o755))
	// By another process: a program that this one has open for writing while a test beside starts one cannot be run.
	self, err := os.Executable()
	require.NoError(t, err)
	for _, name := range []string{"outrigger", "outrigger-probe"} {
		require.NoError(t, exec.Command("cp", self, filepath.Join(m.program, name)).Run())
	}
	return m
}

// example is a verb's, as its help has it.
func (m machine) example(verb string) string {
	m.t.Helper()
	command, _, err := program().Find([]string{verb})
	require.NoError(m.t, err)
	return strings.ReplaceAll(command.Example, "/tmp", m.tmp)
}

// command is a line for a shell that has the program.
func (m machine) command(line string, environment ...string) *exec.Cmd {
	command := exec.CommandContext(m.t.Context(), "sh", "-ec", line)
	command.Env = append([]string{"PATH=" + m.program + ":/usr/bin:/bin", asProgram + "=1"}, environment...)
	return command
}

// run runs a line to its end.
func (m machine) run(line string, environment ...string) (said string, exitCode int) {
	m.t.Helper()
	command := m.command(line, environment...)
	output, err := command.CombinedOutput()
	if _, ended := err.(*exec.ExitError); !ended {
		require.NoError(m.t, err)
	}
	return string(output), command.ProcessState.ExitCode()
}

// start starts the verb of an example, and returns what ends it by SIGTERM.
func (m machine) start(verb string) (end func() (said string, exitCode int)) {
	m.t.Helper()
	var output strings.Builder
	example := m.example(verb)
	before, _, found := strings.Cut(example, "outrigger "+verb)
	require.True(m.t, found, example)
	command := m.command(before + "exec outrigger " + verb)
	command.Stdout, command.Stderr = &output, &output
	require.NoError(m.t, command.Start())
	m.t.Cleanup(func() { _ = command.Process.Kill() })
	return func() (string, int) {
		require.NoError(m.t, command.Process.Signal(syscall.SIGTERM))
		_ = command.Wait()
		return output.String(), command.ProcessState.ExitCode()
	}
}

// eventually waits for what happens at once.
func (m machine) eventually(happens func() bool) {
	m.t.Helper()
	require.Eventually(m.t, happens, time.Minute, 10*time.Millisecond)
}

func TestTheHelpOfEachVerbSaysWhatItIsForItsExitCodesAndAnExample(t *testing.T) {
	t.Parallel()
	var names []string
	for _, verb := range program().Commands() {
		names = append(names, verb.Name())
		var help strings.Builder
		verb.SetOut(&help)
		require.NoError(t, verb.Help())
		assert.Contains(t, help.String(), "\nExit codes: 0 ", verb.Name())
		assert.Contains(t, help.String(), "\nExamples:\n  ", verb.Name())
		assert.Contains(t, verb.Example, "outrigger "+verb.Name(), verb.Name())
		assert.Greater(t, len(verb.Long), len(verb.Short), verb.Name())
		if document.Verbs[verb.Name()] != nil {
			assert.Contains(t, verb.Long, document.Variable, verb.Name())
			assert.Contains(t, verb.Long, health.StateVariable, verb.Name())
		}
	}
	assert.Equal(t, verbs, names)
}

func TestTheExampleOfInstallPutsTheProgramsThere(t *testing.T) {
	t.Parallel()
	m := newMachine(t)

	said, code := m.run(m.example("install"))

	require.Zero(t, code, said)
	assert.FileExists(t, filepath.Join(m.tmp, "tools", "outrigger"))
	assert.FileExists(t, filepath.Join(m.tmp, "tools", "outrigger-probe"))
}

func TestTheExampleOfSeedCopiesAFile(t *testing.T) {
	t.Parallel()
	m := newMachine(t)

	said, code := m.run(m.example("seed"))

	require.Zero(t, code, said)
	copied, err := os.ReadFile(filepath.Join(m.tmp, "volume", "index.html"))
	require.NoError(t, err)
	assert.Equal(t, "hello\n", string(copied))
}

func TestTheExampleOfTokenWritesAFileAndThatOfStatusShowsIt(t *testing.T) {
	t.Parallel()
	m := newMachine(t)

	end := m.start("token")

	m.eventually(func() bool { _, err := os.Stat(filepath.Join(m.tmp, "password")); return err == nil })
	said, code := m.run(m.example("status"))
	require.Zero(t, code, said)
	assert.Contains(t, said, filepath.Join(m.tmp, "password"))
	said, code = end()
	assert.Zero(t, code, said)
}

func TestTheExampleOfPgbouncerProvesAPassword(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	asked := filepath.Join(m.tmp, "asked")
	require.NoError(t, os.WriteFile(filepath.Join(m.program, "pgbouncer"), []byte("#!/bin/sh\ncp \"$1\" "+asked+".new; mv "+asked+".new "+asked+"\n"), 0o755))

	end := m.start("pgbouncer")

	m.eventually(func() bool { _, err := os.Stat(asked); return err == nil })
	said, code := end()
	assert.Zero(t, code, said)
	configuration, err := os.ReadFile(asked)
	require.NoError(t, err)
	assert.Contains(t, string(configuration), "shop = host='localhost' port='5432' dbname='shop'")
}

// events are lines that a program said, all of which must be events of a verb.
func (m machine) events(said string) (list []map[string]any) {
	m.t.Helper()
	for line := range strings.Lines(said) {
		var event map[string]any
		require.NoError(m.t, json.Unmarshal([]byte(line), &event), said)
		list = append(list, event)
	}
	return list
}

func TestSeedTellsInEventsWhetherItCopied(t *testing.T) {
	t.Parallel()
	m := newMachine(t)

	first, _ := m.run(m.example("seed"))
	second, _ := m.run("outrigger seed " + m.tmp + "/image " + m.tmp + "/volume")

	for said, want := range map[string]string{first: "volume.seeded", second: "volume.kept"} {
		events := m.events(said)
		require.Len(t, events, 1, said)
		assert.Equal(t, want, events[0]["event"])
		assert.Equal(t, "info", events[0]["level"])
	}
}

func TestWhyAVerbFailedIsAnEvent(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for line, message := range map[string]string{
		"outrigger install /nowhere":       "cannot install outrigger into /nowhere",
		"outrigger seed /nowhere " + m.tmp: "the image has no directory /nowhere",
		"outrigger pgbouncer":              document.Variable + " is not set",
		"outrigger token":                  document.Variable + " is not set",
	} {
		said, code := m.run(line + " 2>/dev/null")

		assert.NotZero(t, code, line)
		events := m.events(said)
		require.Len(t, events, 1, line)
		assert.Equal(t, "program.failed", events[0]["event"])
		assert.Equal(t, "error", events[0]["level"])
		assert.Equal(t, strings.Fields(line)[1], events[0]["verb"])
		assert.Contains(t, events[0]["message"], message)
	}
}

func TestAPersonIsToldInATextWhatHeCalledWronglyOrWhyThereIsNoStatus(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for line, want := range map[string]struct {
		text string
		code int
	}{
		"outrigger sede":                     {"outrigger: unknown command \"sede\"", 2},
		"outrigger seed /from":               {"outrigger: accepts 2 arg(s), received 1", 2},
		"outrigger token --lok 1s":           {"outrigger: unknown flag: --lok", 2},
		"outrigger status --socket /nowhere": {"outrigger: the program does not answer yet", 1},
	} {
		said, code := m.run(line + " >/dev/null")

		assert.Equal(t, want.code, code, line)
		assert.True(t, strings.HasPrefix(said, want.text), said)
	}
}

func TestTheMemoryLimitOfGoIsFourFifthsOfTheContainers(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })

	limitMemory(func() (uint64, error) { return 0, memlimit.ErrNoLimit })
	assert.Equal(t, before, debug.SetMemoryLimit(-1), "where there is no limit")

	limitMemory(memlimit.Limit(100 << 20))
	assert.EqualValues(t, 80<<20, debug.SetMemoryLimit(-1))
}

func TestAWrongDocumentEndsEachVerbWithTheSameExitCode(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	// What decodes and cannot work, by what of the verb's example it has in place of what.
	broken := map[string]*strings.Replacer{
		"pgbouncer": strings.NewReplacer(`"proofDatabase": "shop"`, `"proofDatabase": "another"`),
		"token":     strings.NewReplacer(`"mode": "0600"`, `"mode": "999"`),
	}
	for verb := range document.Verbs {
		for _, line := range []string{
			"outrigger " + verb,
			document.Variable + "='' outrigger " + verb,
			document.Variable + `='{"version": "0.0"}' outrigger ` + verb,
			document.Variable + `='{"version": "` + version.Minor(version.Version) + `"}' outrigger ` + verb,
			broken[verb].Replace(m.example(verb)),
		} {
			said, code := m.run(line)
			assert.Equal(t, 2, code, "%s: %s", line, said)
		}
	}
}
