package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

func listed() judge.Want {
	return judge.Want{"m/a": {"TestOne", "TestTwo"}, "m/b": {"TestTwo", "FuzzThree"}}
}

func TestAPatternLeavesTheTestsItMatches(t *testing.T) {
	for _, row := range []struct {
		patterns  []string
		left      judge.Want
		unmatched []string
		command   string
	}{
		{[]string{"One"}, judge.Want{"m/a": {"TestOne"}}, nil, "go test -json -v -run=^(TestOne)$ m/a"},
		{[]string{"Two|Three"}, judge.Want{"m/a": {"TestTwo"}, "m/b": {"FuzzThree", "TestTwo"}}, nil, "go test -json -v -run=^(FuzzThree|TestTwo)$ m/a m/b"},
		{[]string{"^TestT", "T"}, judge.Want{"m/a": {"TestOne", "TestTwo"}, "m/b": {"FuzzThree", "TestTwo"}}, nil, "go test -json -v -run=^(FuzzThree|TestOne|TestTwo)$ m/a m/b"},
		{[]string{"TestOne/x|y/z"}, judge.Want{"m/a": {"TestOne"}}, nil, "go test -json -v -run=^(TestOne)$/(x|y)/(z) m/a"},
		{[]string{"One", "Four", "^Two"}, judge.Want{"m/a": {"TestOne"}}, []string{"Four", "^Two"}, "go test -json -v -run=^(TestOne)$ m/a"},
	} {
		t.Run(strings.Join(row.patterns, " "), func(t *testing.T) {
			p := &phase{tests: listed(), flags: []string{"-v"}}

			unmatched, err := p.narrow(row.patterns...)

			require.NoError(t, err)
			assert.Equal(t, row.left, p.tests)
			assert.Equal(t, row.unmatched, unmatched)
			assert.Equal(t, row.command, strings.Join(p.command(), " "))
		})
	}
}

func TestAPatternThatIsNoneIsAnError(t *testing.T) {
	_, err := (&phase{tests: listed()}).narrow("(")

	assert.Error(t, err)
}

func TestAWholePhaseNamesNoTests(t *testing.T) {
	p := &phase{tests: listed()}

	assert.Equal(t, "go test -json m/a m/b", strings.Join(p.command(), " "))
	assert.Equal(t, "go test -json -run=^(TestTwo)$ m/b", strings.Join(p.alone("m/b", "TestTwo").command(), " "))
}

func TestEveryTestIsInOnePhase(t *testing.T) {
	listed := judge.Want{
		"o/ci/rig": {"TestA"}, "o/tests/render": {"TestA"}, "o/tests/scripts": {"TestA"}, "o/tests/e2e": {"TestA", "TestAtLength"}, "o/tests/fuzz": {"FuzzA", "TestA"},
		"o/tests/restart": {"TestA"}, "o/tests/soak": {"TestA"}, "o/tests/bench": {"TestA"}, "o/tests/charts": {"TestA"},
	}
	program := judge.Want{"o/library/sidecar": {"TestA"}}

	tests := map[string]judge.Want{}
	for _, p := range phasesOfTest(listed, program, []string{"TestAtLength"}, "") {
		tests[p.name] = p.tests
	}

	assert.Equal(t, map[string]judge.Want{
		"of templates":               {"o/ci/rig": {"TestA"}, "o/tests/render": {"TestA"}, "o/tests/bench": {"TestA"}},
		"of the program":             {"o/library/sidecar": {"TestA"}},
		"of scripts":                 {"o/tests/scripts": {"TestA"}},
		"in the cluster":             {"o/tests/e2e": {"TestA"}},
		"of values at random":        {"o/tests/fuzz": {"TestA"}}, // the same values each time
		"with a restart of the node": {"o/tests/restart": {"TestA"}},
	}, tests)
	assert.Equal(t, judge.Want{"o/tests/fuzz": {"FuzzA"}}, named(below(listed, fuzzTests), "Fuzz"), "the soak fuzzes")
}

// here is this repository, and the tests of its modules.
var here = sync.OnceValues(func() (all struct {
	listed, program judge.Want
	*rig.Rig
}, err error) {
	root, err := rig.Root()
	if err != nil {
		return all, err
	}
	all.Rig = &rig.Rig{Root: root, Reporter: progress.New(io.Discard, "")}
	all.listed, all.program, err = listTests(context.Background(), all.Rig)
	return all, err
})

func TestTheSoakFindsTheTestsThatItNamesAndTheseReadWhatItSets(t *testing.T) {
	here, err := here()
	require.NoError(t, err)

	phases, err := phasesOfSoak(here.Rig, here.listed)

	require.NoError(t, err)
	for _, p := range phases {
		assert.NotEmpty(t, p.tests, p.name)
		for _, variable := range p.environment {
			name, _, _ := strings.Cut(variable, "=")
			for pkg := range p.tests {
				files, err := filepath.Glob(filepath.Join(here.Root, strings.TrimPrefix(pkg, "github.com/outrigger-charts/outrigger/"), "*_test.go"))
				require.NoError(t, err)
				assert.True(t, slices.ContainsFunc(files, func(file string) bool {
					text, err := os.ReadFile(file)
					return assert.NoError(t, err) && strings.Contains(string(text), `"`+name+`"`)
				}), "no test of %s reads %s", pkg, name)
			}
		}
	}
}

func TestMakeTestRunsEveryTestOfTheRepositoryButThoseOfTheSoakAndOfOtherPeoplesCharts(t *testing.T) {
	here, err := here()
	require.NoError(t, err)
	atLength, err := marked(here.Rig)
	require.NoError(t, err)
	run := map[string]int{}
	for _, p := range phasesOfTest(here.listed, here.program, atLength, "") {
		for pkg, names := range p.tests {
			for _, name := range names {
				run[pkg+" "+name]++
			}
		}
	}

	tests := 0
	for _, module := range []judge.Want{here.listed, here.program} {
		for pkg, names := range module {
			benchmarks := slices.ContainsFunc(onlyBenchmarks, func(folder string) bool { return within(pkg, folder) })
			assert.Equal(t, benchmarks, len(names) == 0, "%s has no tests", pkg)
			for _, name := range names {
				times := 1
				if within(pkg, soakTests) || within(pkg, chartTests) || within(pkg, fuzzTests) && strings.HasPrefix(name, "Fuzz") || within(pkg, clusterTests) && slices.Contains(atLength, name) {
					times = 0
				}
				assert.Equal(t, times, run[pkg+" "+name], "how often %s of %s is run", name, pkg)
				tests += times
			}
		}
	}
	assert.Len(t, run, tests, "all that is run is listed")
	assert.Greater(t, tests, 1000)
}

func TestAPackageThatHasLostItsTestsStaysInItsPhaseWhichIsRedThen(t *testing.T) {
	listed := judge.Want{"o/ci/rig": {}, "o/tests/render": {"TestA"}}
	program := judge.Want{"o/library/sidecar": {}}

	phases := phasesOfTestRender(listed, program)

	assert.Equal(t, listed, phases[0].tests)
	assert.Equal(t, program, phases[1].tests)
}

func TestTheMakefileHandsOnWhichTestsAreChosenAndHowStrictly(t *testing.T) {
	root, err := rig.Root()
	require.NoError(t, err)
	for arguments, command := range map[string]string{
		"test":                             ".build/rig test",
		"test STRICT=1":                    ".build/rig test -strict",
		"test STRICT=0":                    ".build/rig test",
		"test-render RUN=X":                ".build/rig test-render -run 'X'",
		"test STRICT=1 RUN=X":              ".build/rig test -run 'X' -strict",
		"test-soak RUN=^TestA$$|B/of_two$": ".build/rig test-soak -run '^TestA$$|B/of_two$'",
	} {
		make := exec.Command("make", append([]string{"-n", "-C", root, "--no-print-directory"}, strings.Fields(arguments)...)...)
		// What the make has that runs this test is not handed on, and these names in the environment choose nothing.
		make.Env = append(os.Environ(), "MAKEFLAGS=", "RUN=Other", "STRICT=1")

		printed, err := make.CombinedOutput()

		require.NoError(t, err, "%s", printed)
		assert.Equal(t, command, strings.Join(strings.Fields(strings.SplitAfterN(string(printed), "\n", 2)[1]), " "), "make %s", arguments)
	}
}

func TestTheEndOfACommandIsItsExitCode(t *testing.T) {
	run := func(script string) error {
		_, err := proc.Run(context.Background(), proc.Cmd{Args: []string{"sh", "-c", script}})
		return err
	}

	assert.Equal(t, 0, exitOf(run("exit 0")))
	assert.Equal(t, 3, exitOf(run("exit 3")))
	assert.Equal(t, -1, exitOf(run("kill -9 $$")))
	assert.Equal(t, -1, exitOf(errors.New("it could not be started")))
}

func TestAnErrorEndsTheProgramWithItsCode(t *testing.T) {
	for _, row := range []struct {
		err  error
		code int
		told string
	}{
		{nil, 0, ""},
		{errQuiet, 1, ""},
		{errors.New("oops"), 1, "rig: oops\n"},
		{fmt.Errorf("step: %w", context.Canceled), 130, "Interrupted. What was finished is kept; the next run goes on from there.\n"},
	} {
		var told strings.Builder

		code := exitCode(row.err, &told)

		assert.Equal(t, row.code, code, "%v", row.err)
		assert.Equal(t, row.told, told.String())
	}
}

// TestMain is the program itself where a test starts it so.
func TestMain(m *testing.M) {
	if os.Getenv("OUTRIGGER_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestAWrongCallFails(t *testing.T) {
	for _, args := range []string{"", "nothing", "test -unknown", "test more", "lint -strict"} {
		command := exec.Command(os.Args[0], strings.Fields(args)...)
		command.Env = append(os.Environ(), "OUTRIGGER_TEST_MAIN=1")

		printed, err := command.CombinedOutput()

		assert.Equal(t, 1, exitOf(err), "rig %s", args)
		assert.Contains(t, string(printed), "usage: rig ", "rig %s", args)
	}
}

func TestThePaceTellsWhatTheLastRunHadBeforeIt(t *testing.T) {
	last := &estimate{plan: []string{"a", "b", "c"}, last: map[string]timing{
		"a": {Seconds: 100, Ends: []float64{10, 20, 60, 90}}, "b": {Seconds: 1000, Ends: []float64{1}}, "c": {Seconds: 2000, Ends: []float64{1}},
	}}
	for _, row := range []struct {
		tests int
		ends  []float64
		now   float64
		left  float64
	}{
		{4, nil, 0, 3100},
		{4, nil, 4, 3096},
		{4, nil, 50, 3090},          // the first test is late
		{4, []float64{5}, 5, 3090},  // it was early
		{4, []float64{5}, 11, 3084}, // and some time has passed since
		{4, []float64{5, 6}, 6, 3080},
		{4, []float64{5, 6, 7, 8}, 8, 3010},
		{4, []float64{5, 6, 7, 8}, 99, 3000},
		{8, []float64{5, 6}, 6, 3090}, // there are twice as many tests
	} {
		p := newPace(&phase{name: "a", tests: judge.Want{"m": make([]string, row.tests)}}, last)
		p.done, p.ends = len(row.ends), row.ends

		assert.InDelta(t, row.left, p.left(row.now), 0.01, "%+v", row)
	}
}

func TestThePaceCountsTestFunctions(t *testing.T) {
	p := newPace(&phase{tests: listed()}, nil)
	for _, e := range []judge.Event{
		{Action: "run", Test: "TestOne"}, {Action: "fail", Test: "TestOne/sub"}, {Action: "fail", Test: "TestOne"}, {Action: "pass", Test: "TestTwo"}, {Action: "pass"},
	} {
		p.see(e)
	}

	assert.Equal(t, "2 of 4 tests, 1 failed", p.String())
}

func TestAnEstimateIsKeptForTheNextRun(t *testing.T) {
	folder := t.TempDir()
	phases := []*phase{{name: "a", tests: judge.Want{"m": {"TestOne"}}}, {name: "b"}}
	first := newEstimate(folder, phases)
	a := newPace(phases[0], first)
	assert.Equal(t, "0 of 1 tests", a.String())
	a.begin = time.Now().Add(-time.Minute)
	a.see(judge.Event{Action: "pass", Test: "TestOne"})
	first.ended("a", a)
	b := newPace(phases[1], first)
	b.begin = time.Now().Add(-time.Hour)
	first.ended("b", b)
	require.NoError(t, first.save())

	second := newEstimate(folder, phases)

	assert.InDelta(t, 3660, newPace(phases[0], second).left(0), 60)
	assert.Regexp(t, `^0 of 1 tests, 6\dm\d\ds left$`, newPace(phases[0], second))
	second.ended("a", a)
	require.NoError(t, second.save())
	assert.InDelta(t, 3600, newEstimate(folder, phases).last["b"].Seconds, 60, "a phase that did not run is not forgotten")
}

func TestWhatIsDoneNowAndThenIsNotDoneAfterTheEnd(t *testing.T) {
	calls := make(chan struct{})
	stop := every(time.Millisecond, func() { calls <- struct{}{} })
	<-calls
	<-calls
	go func() {
		for range calls {
		}
	}()
	stop()
	close(calls) // a call would panic
}
