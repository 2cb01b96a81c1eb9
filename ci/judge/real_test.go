package judge

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newPackage writes a module of one package whose tests are these, and returns its folder.
func newPackage(t *testing.T, tests string) string {
	t.Helper()
	folder := t.TempDir()
	imports := ""
	for _, name := range []string{"fmt", "os", "syscall", "testing"} {
		if strings.Contains(tests, name+".") {
			imports += "import \"" + name + "\"\n"
		}
	}
	for name, content := range map[string]string{
		"go.mod":    "module p\n",
		"p.go":      "package p\n",
		"p_test.go": "package p\n" + imports + tests,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644))
	}
	return folder
}

// quickLink halves the time that such a small test takes to build.
const quickLink = "-ldflags=-s -w"

// goTest runs the tests of a folder, and returns what they come to. Its environment is the test's, without flags.
func goTest(t *testing.T, folder string, on func(*exec.Cmd, Event), flags ...string) Result {
	t.Helper()
	want, err := List(context.Background(), io.Discard, folder, ".")
	require.NoError(t, err)
	command := exec.Command("go", append([]string{"test", "-json", quickLink}, flags...)...)
	command.Dir, command.Stderr = folder, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	record := NewRecord(want, func(e Event) {
		if on != nil {
			on(command, e)
		}
	})
	command.Stdout = record
	exit := 0
	if err := command.Run(); err != nil {
		var exited *exec.ExitError
		require.True(t, errors.As(err, &exited), "%v", err)
		exit = exited.ExitCode()
	}
	return record.Judge(exit)
}

const (
	passes = "func TestA(t *testing.T) {}\n"
	blocks = "func TestB(t *testing.T) { select {} }\n"
)

// What Go's own runner prints, and how it ends.
func TestARealRunIsGreenOnlyIfEveryTestRanAndPassed(t *testing.T) {
	for _, row := range []struct {
		name, tests string
		flags       []string
		red         []string // the failures; "~" is before those that may run again
	}{
		{"all pass", passes + "func TestB(t *testing.T) { t.Run(`sub`, func(t *testing.T) { t.Parallel() }) }\nfunc FuzzC(f *testing.F) { f.Fuzz(func(*testing.T, int) {}) }\nfunc Example() {\n// Output:\n}\n", nil, nil},
		{"a test fails", passes + "func TestB(t *testing.T) { t.Error() }", nil, []string{"~p TestB: it failed"}},
		{"a test fails that printed half a line", passes + "func TestB(t *testing.T) { fmt.Print(`half`); t.Error() }", nil, []string{"~p TestB: it failed"}},
		{"a subtest fails", passes + "func TestB(t *testing.T) { t.Run(`sub`, func(t *testing.T) { t.Error() }) }", nil, []string{"~p TestB: it failed", "~p TestB/sub: it failed"}},
		{"a test is skipped", passes + "func TestB(t *testing.T) { t.Skip() }", nil, []string{"p TestB: it was skipped, which counts as a failure"}},

		{"a test panics", passes + "func TestB(t *testing.T) { panic(`x`) }\n", nil, []string{"p TestB: it failed"}},
		{"a test panics before others", "func TestB(t *testing.T) { panic(`x`) }\n" + passes, nil, []string{"p TestB: it failed", "p: these did not run: TestA"}},
		{"a goroutine panics", passes + "func TestB(t *testing.T) { go panic(`x`); select {} }\n", nil, []string{"p TestB: it started and did not end"}},
		{"an init panics", passes + "func init() { panic(`x`) }\n", nil, []string{"p: these did not run: TestA"}},
		{"TestMain panics", passes + "func TestMain(m *testing.M) { panic(`x`) }\n", nil, []string{"p: these did not run: TestA"}},
		{"TestMain panics at the end", passes + "func TestMain(m *testing.M) { m.Run(); panic(`x`) }\n", nil, []string{"p: the package ended with fail, though none of its tests did"}},
		{"TestMain fails at the end", passes + "func TestMain(m *testing.M) { m.Run(); os.Exit(3) }\n", nil, []string{"p: the package ended with fail, though none of its tests did"}},
		{"TestMain runs no test", passes + "func TestMain(m *testing.M) { os.Exit(0) }\n", nil, []string{"p: these did not run: TestA"}},
		{"a test runs out of time", passes + blocks, []string{"-timeout=1s"}, []string{"p TestB: it started and did not end"}},
		{"a test exits", passes + "func TestB(t *testing.T) { os.Exit(1) }\n", nil, []string{"p TestB: it started and did not end"}},
		{"a test exits with 0", passes + "func TestB(t *testing.T) { os.Exit(0) }\n", nil, []string{"p TestB: it failed"}},
		{"a test's process is killed", passes + "func TestB(t *testing.T) { syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }\n", nil, []string{"p TestB: it started and did not end"}},

		{"it does not compile", "func TestA(t *testing.T) { x }\n", nil, []string{"p: it does not build"}},
		{"go vet finds something", "func TestA(t *testing.T) { t.Errorf(`%d`, `x`) }\n", nil, []string{"p: it does not build"}},
		{"there are benchmarks alone", "func BenchmarkA(b *testing.B) {}\n", nil, []string{"p: no test ran"}},
		{"there is no test", "", nil, []string{"p: no test ran"}},
		{"-run matches nothing", passes, []string{"-run=^TestNothing$"}, []string{"p: these did not run: TestA"}},
		{"-run matches not all", passes + "func TestB(t *testing.T) {}\n", []string{"-run=^TestA$"}, []string{"p: these did not run: TestB"}},
		{"a flag is unknown", passes, []string{"-unknown"}, []string{"p: these did not run: TestA"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()

			result := goTest(t, newPackage(t, row.tests), nil, row.flags...)

			assert.Equal(t, row.red, told(result))
			assert.Equal(t, row.red == nil, result.Green(), "green")
		})
	}
}

func TestARunnerThatIsKilledIsRed(t *testing.T) {
	t.Parallel()
	var once sync.Once
	kill := func(command *exec.Cmd, e Event) {
		if e.Test == "TestB" {
			once.Do(func() { assert.NoError(t, syscall.Kill(-command.Process.Pid, syscall.SIGKILL)) })
		}
	}

	result := goTest(t, newPackage(t, passes+blocks), kill)

	assert.Equal(t, []string{"p TestB: it started and did not end", "p: the package ended 0 times", ": the command did not end by itself: exit code -1"}, told(result))
}

func TestAFolderWithoutTestsIsRed(t *testing.T) {
	folder := newPackage(t, "")
	require.NoError(t, os.Remove(filepath.Join(folder, "p_test.go")))

	result := goTest(t, folder, nil)

	assert.False(t, result.Green())
}

func TestTheListNamesTestsFuzzTargetsAndExamplesOfAllPackages(t *testing.T) {
	folder := newPackage(t, passes+blocks+"func FuzzC(f *testing.F) {}\nfunc BenchmarkD(b *testing.B) {}\nfunc helper() {}\nfunc Example() {\n// Output:\n}\nfunc ExampleE() {}\n")
	for name, content := range map[string]string{
		"p_outside_test.go":   "package p_test\nimport \"testing\"\nfunc TestOutside(*testing.T) {}\n",
		"soak_test.go":        "//go:build soak\n\npackage p\nimport \"testing\"\nfunc TestSoak(*testing.T) {}\n",
		"none/none.go":        "package none\n",
		"bench/bench_test.go": "package bench\nimport \"testing\"\nfunc BenchmarkA(*testing.B) {}\n",
		"wrong/wrong_test.go": "package wrong\nimport \"testing\"\nfunc TestWrong(*testing.T) { undefined() }\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644))
	}

	want, err := List(context.Background(), io.Discard, folder, "./...")
	soak, soakErr := List(context.Background(), io.Discard, folder, "-tags=soak", ".")

	require.NoError(t, err)
	require.NoError(t, soakErr)
	assert.Equal(t, Want{
		"p":       {"TestA", "TestB", "TestOutside", "FuzzC", "Example"},
		"p/bench": {},
		"p/wrong": {"TestWrong"},
	}, want)
	assert.Contains(t, soak["p"], "TestSoak")
}

func TestTestsThatCannotBeListedAreAnError(t *testing.T) {
	for name, folder := range map[string]string{
		"they do not parse": newPackage(t, "func TestA(t *testing.T) { x(( }\n"), "there is no module": t.TempDir(),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := List(context.Background(), io.Discard, folder, "./...")

			assert.Error(t, err)
		})
	}
}

func TestAListThatIsNotAsGoWritesItIsAnError(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.go")
	require.NoError(t, os.WriteFile(empty, []byte("package main\n"), 0o644))
	for _, printed := range []string{`{"ImportPath":"p.test"}`, `{"ImportPath":"p.test","GoFiles":["` + empty + `"]}`, `{"ImportPath":"p.test","GoFiles":["nowhere.go"]}`, `{`} {
		_, err := listed(printed)

		assert.Error(t, err, printed)
	}
}
