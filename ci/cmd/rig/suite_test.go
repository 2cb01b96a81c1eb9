package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// workshop is a repository of its own, with a package of tests in each folder.
type workshop struct {
	*rig.Rig
	t       *testing.T
	printed bytes.Buffer
}

func newWorkshop(t *testing.T, files map[string]string) *workshop {
	t.Helper()
	w := &workshop{t: t}
	w.Rig = &rig.Rig{Root: t.TempDir(), Cache: t.TempDir(), Reporter: progress.New(&w.printed, "")}
	t.Cleanup(w.Close)
	files["go.mod"] = "module m\n"
	for name, content := range files {
		path := filepath.Join(w.Root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	return w
}

// run runs the tests of each folder as a phase of the folder's name, and returns what was printed.
func (w *workshop) run(s *suite, folders ...string) (string, error) {
	w.t.Helper()
	listed, err := judge.List(context.Background(), w.Reporter.Log(), w.Root, "./...")
	require.NoError(w.t, err)
	var phases []*phase
	for _, folder := range folders {
		phases = append(phases, &phase{name: folder, tests: below(listed, folder), flags: []string{"-count=1", "-ldflags=-s -w"}}) // which halves the time to build
	}
	s.rig = w.Rig
	err = s.runPhases(context.Background(), phases...)
	return w.printed.String(), err
}

// kept returns the content of a file of the repository or among the results.
func (w *workshop) kept(pattern string) string {
	w.t.Helper()
	var all string
	for _, folder := range []string{w.Root, filepath.Join(w.Cache, "results", "*")} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		require.NoError(w.t, err)
		for _, path := range found {
			content, err := os.ReadFile(path)
			require.NoError(w.t, err)
			all += string(content)
		}
	}
	return all
}

const (
	passing = `package p

import "testing"

func TestPasses(t *testing.T) {
	t.Run("one", func(*testing.T) {})
	t.Run("two", func(*testing.T) {})
}
func TestPassesToo(*testing.T) {}
`
	// It fails in a subtest if it has not run before. Beside it is a test that leaves a letter for each run.
	flaky = `package p

import ("os"; "testing")

func TestFlaky(t *testing.T) {
	t.Run("sub", func(t *testing.T) {
		_, err := os.Stat("ran")
		t.Log("the marker:", err)
		os.WriteFile("ran", nil, 0o644)
		if err != nil { t.Error("it is the first time") }
	})
}
func TestBeside(*testing.T) {
	file, _ := os.OpenFile("beside", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	file.WriteString("x")
	file.Close()
}
`
	failing   = "package p\n\nimport \"testing\"\n\nfunc TestFails(t *testing.T) { t.Error(\"as ever\") }\n"
	panicking = "package p\n\nimport \"testing\"\n\nfunc TestPanics(t *testing.T) { panic(\"as ever\") }\n"
	// go vet finds something in it that go test does not look for.
	suspect = "package p\n\nfunc f(x int) int { x = x; return x }\n"
)

// closing returns what was printed from a line on, with what varies by run and machine replaced.
func closing(printed, from string) string {
	for pattern, by := range map[string]string{`/\S+/results/[^/\s]+/`: "…/", `\d+\.\d+s`: "T", `(suite/minutes) [\d.]+`: "$1 M"} {
		printed = regexp.MustCompile(pattern).ReplaceAllString(printed, by)
	}
	return printed[max(0, strings.LastIndex(printed, "\n"+from)+1):]
}

func TestARunThatPassesEndsWithItsFigures(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, map[string]string{"a/a_test.go": passing, "b/b_test.go": passing})

	printed, err := w.run(&suite{whole: true}, "a", "b")

	require.NoError(t, err, printed)
	assert.Equal(t, `flaky: 0
8 passed, 0 failed
bench: suite/minutes M min
bench: suite/flaky 0 tests
bench: suite/tests 8 tests
`, closing(printed, "flaky:"))
	assert.Contains(t, w.kept("junit.xml"), `<testcase classname="m/b" name="TestPasses/two"`)
}

func TestATestThatPassesWhenItRunsAgainAloneIsToldAtTheEndWithBothOutputs(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, map[string]string{"a/a_test.go": flaky, "b/b_test.go": passing})

	printed, err := w.run(&suite{whole: true}, "a", "b")

	require.NoError(t, err, printed)
	assert.Equal(t, `FLAKY: m/a TestFlaky failed, and passed when it ran again alone.
  first:  …/a.TestFlaky.first.txt
  second: …/a.TestFlaky.second.txt
  The first ended with
        a_test.go:8: the marker: stat ran: no such file or directory
        a_test.go:10: it is the first time
    --- FAIL: TestFlaky/sub (T)
    --- FAIL: TestFlaky (T)

flaky: 1
7 passed, 0 failed
bench: suite/minutes M min
bench: suite/flaky 1 tests
bench: suite/tests 7 tests
`, closing(printed, "FLAKY:"))
	assert.Contains(t, w.kept("a.TestFlaky.first.txt"), "it is the first time")
	assert.Contains(t, w.kept("a.TestFlaky.second.txt"), "the marker: <nil>")
	assert.Contains(t, w.kept("junit.xml"), `<flakyFailure message="it failed, and passed when it ran again alone">`)
	assert.Equal(t, "x", w.kept("a/beside"), "the test beside it did not run again")
}

func TestARunIsRed(t *testing.T) {
	for _, row := range []struct {
		name    string
		suite   suite
		files   map[string]string
		folders []string
		told    string // in the summary
		closing string
	}{
		{"where a test passes only when it runs again, strictly", suite{chosen: choice{strict: true}}, map[string]string{"a/a_test.go": flaky}, []string{"a"},
			"FAILED: m/a TestFlaky/sub: it failed\n", "flaky: 1\n1 passed, 2 failed\n"},
		{"where a test fails again", suite{}, map[string]string{"a/a_test.go": failing, "b/b_test.go": passing}, []string{"a", "b"},
			"FAILED: m/a TestFails: it failed\n", "flaky: 0\n4 passed, 1 failed\n"},
		{"where a test fails by a panic", suite{}, map[string]string{"a/a_test.go": panicking}, []string{"a"},
			"FAILED: m/a TestPanics: it failed\n", "flaky: 0\n0 passed, 1 failed\n"},
		{"where go vet finds something", suite{}, map[string]string{"a/a_test.go": passing, "b/b.go": suspect}, []string{"a"},
			"FAILED: go vet: it found something\n", "flaky: 0\n4 passed, 1 failed\n"},
		{"where no subtest matches", suite{chosen: choice{run: "TestPassesToo/three"}}, map[string]string{"a/a_test.go": passing}, []string{"a"},
			"FAILED: TestPassesToo/three: no subtest matches\n", "flaky: 0\n1 passed, 1 failed\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkshop(t, row.files)

			printed, err := w.run(&row.suite, row.folders...)

			assert.ErrorIs(t, err, errQuiet)
			assert.Contains(t, printed, row.told)
			assert.Equal(t, row.closing, closing(printed, "flaky:"))
		})
	}
}

func TestWhatPanicsDoesNotRunAgain(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, map[string]string{"a/a_test.go": panicking})

	printed, _ := w.run(&suite{}, "a")

	assert.NotContains(t, printed, "again, alone")
}

func TestAFindingOfTheFuzzerHasNoSecondChance(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, map[string]string{"a/a_test.go": flaky})
	listed, err := judge.List(context.Background(), w.Reporter.Log(), w.Root, "./...")
	require.NoError(t, err)
	s := &suite{rig: w.Rig}

	err = s.runPhases(context.Background(), &phase{name: "a", tests: listed, raw: []string{"go", "test", "-json", "./..."}})

	assert.ErrorIs(t, err, errQuiet)
	assert.Equal(t, "flaky: 0\n1 passed, 2 failed\n", closing(w.printed.String(), "flaky:"))
}

func TestWhatARunnerSaysThatDoesNotRunIsShown(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, map[string]string{"a/a_test.go": passing})
	listed, err := judge.List(context.Background(), w.Reporter.Log(), w.Root, "./...")
	require.NoError(t, err)
	s := &suite{rig: w.Rig}

	err = s.runPhases(context.Background(), &phase{name: "a", tests: listed, flags: []string{"-p=x"}})

	assert.ErrorIs(t, err, errQuiet)
	assert.Contains(t, w.printed.String(), `invalid value "x" for flag -p`)
}

func TestChosenTestsRunInEveryPhaseThatHasOne(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, map[string]string{"a/a_test.go": passing, "b/b_test.go": flaky, "c/c_test.go": passing, "c/suspect.go": suspect})

	printed, err := w.run(&suite{chosen: choice{run: "^TestPasses$/one|nothing"}}, "a", "b", "c")

	require.NoError(t, err, printed)
	assert.Contains(t, printed, "Left out: tests b, none of which matches.\n")
	assert.Equal(t, "flaky: 0\n4 passed, 0 failed\n", closing(printed, "flaky:"))
}

func TestThereIsNoRunWithoutTests(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		chosen  choice
		folders []string
		told    string
	}{
		{choice{run: "TestNothing"}, []string{"a"}, `no test matches "TestNothing"`},
		{choice{}, []string{"a", "b"}, "tests b: there are none"},
	} {
		w := newWorkshop(t, map[string]string{"a/a_test.go": passing})

		_, err := w.run(&suite{chosen: row.chosen}, row.folders...)

		assert.ErrorContains(t, err, row.told)
	}
}

func TestOnACallersClusterNothingIsRestartedWhichIsAFailureStrictly(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		chosen  choice
		red     error
		told    string
		closing string
	}{
		{choice{}, nil, "", "flaky: 0\n4 passed, 0 failed\n"},
		{choice{strict: true}, errQuiet, "FAILED: tests with a restart: they were left out, as the cluster is the caller's\n", "flaky: 0\n4 passed, 1 failed\n"},
	} {
		w := newWorkshop(t, map[string]string{"a/a_test.go": passing, "b/b_test.go": passing})
		listed, err := judge.List(context.Background(), w.Reporter.Log(), w.Root, "./...")
		require.NoError(t, err)
		s := &suite{rig: w.Rig, chosen: row.chosen, cluster: &rig.Cluster{Context: "theirs", Origin: rig.Callers}}

		err = s.runPhases(context.Background(),
			&phase{name: "in the cluster", tests: below(listed, "a"), cluster: true}, &phase{name: "with a restart", tests: below(listed, "b"), cluster: true, restarts: true})

		assert.Equal(t, row.red, err)
		printed := w.printed.String()
		assert.Contains(t, printed, "Left out: tests with a restart. Only a cluster of this machine is restarted, and this one is the caller's.\n")
		assert.Contains(t, printed, row.told)
		assert.Equal(t, row.closing, closing(printed, "flaky:"))
	}
}
