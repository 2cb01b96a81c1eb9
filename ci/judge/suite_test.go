package judge

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// failed returns the result of a phase in which three tests passed, and these failed.
func failed(again bool, tests ...string) Result {
	result := Result{Passed: 3}
	for _, test := range tests {
		result.Failures = append(result.Failures, Failure{Package: "p", Test: test, Output: "printed by " + test, Again: again})
	}
	return result
}

func tests(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("Test%d", i))
	}
	return names
}

func TestATestRunsAgainIfThatCanMakeTheSuiteGreen(t *testing.T) {
	green := &Phase{Name: "green", Result: failed(true)}
	for _, row := range []struct {
		name   string
		suite  Suite
		expect []string
	}{
		{"nothing failed", Suite{Phases: []*Phase{green}}, nil},
		{"a test failed", Suite{Phases: []*Phase{green, {Name: "second", Result: failed(true, "TestA")}}}, []string{"second p TestA, printed by TestA"}},
		{"a test failed with its subtests", Suite{Phases: []*Phase{{Name: "first", Result: failed(true, "TestA", "TestA/sub", "TestB/sub")}}},
			[]string{"first p TestA, printed by TestA", "first p TestB, printed by TestB/sub"}},
		{"tests of one name failed in two phases", Suite{Phases: []*Phase{{Name: "first", Result: failed(true, "TestA")}, {Name: "second", Result: failed(true, "TestA")}}},
			[]string{"first p TestA, printed by TestA", "second p TestA, printed by TestA"}},
		{"another failure has no second chance", Suite{Phases: []*Phase{{Result: failed(true, "TestA")}, {Result: failed(false, "TestB")}}}, nil},
		{"the phase has none", Suite{Phases: []*Phase{{Result: failed(true, "TestA"), Once: true}}}, nil},
		{"another phase has none, and is green", Suite{Phases: []*Phase{{Name: "first", Result: failed(true, "TestA")}, {Result: failed(true), Once: true}}},
			[]string{"first p TestA, printed by TestA"}},
		{"go vet found something", Suite{Phases: []*Phase{{Result: failed(true, "TestA")}}, Checks: []Failure{{Reason: "go vet"}}}, nil},
		{"more failed than by chance", Suite{Phases: []*Phase{{Result: failed(true, tests(MostAgain+1)...)}}}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, second := range row.suite.Again() {
				got = append(got, fmt.Sprintf("%s %s %s, %s", second.Phase.Name, second.Package, second.Test, second.First))
			}
			assert.Equal(t, row.expect, got)
		})
	}
	assert.Len(t, (&Suite{Phases: []*Phase{{Result: failed(true, tests(MostAgain)...)}}}).Again(), MostAgain)
}

func TestTheVerdictIsGreenOnlyIfTestsRanAndNothingIsLeftThatFailed(t *testing.T) {
	var (
		passes = Result{Passed: 1}
		fails  = Result{Failures: []Failure{{Reason: "it failed"}}}
	)
	for _, row := range []struct {
		name           string
		suite          Suite
		second         map[string]Result // of the first phase's tests that run again
		strict         bool
		passed, failed int
		flaky          []string
		green          bool
	}{
		{name: "all passed", suite: Suite{Phases: []*Phase{{Result: failed(true)}, {Result: failed(true)}}}, passed: 6, green: true},
		{name: "no phase ran", suite: Suite{}},
		{name: "no test ran", suite: Suite{Phases: []*Phase{{Result: Result{}}}}},
		{name: "a test failed in the last phase", suite: Suite{Phases: []*Phase{{Result: failed(true)}, {Result: failed(false, "TestA")}}}, passed: 6, failed: 1},
		{name: "a test failed in the first phase", suite: Suite{Phases: []*Phase{{Result: failed(false, "TestA")}, {Result: failed(true)}}}, passed: 6, failed: 1},
		{name: "go vet found something", suite: Suite{Phases: []*Phase{{Result: failed(true)}}, Checks: []Failure{{Reason: "go vet"}}}, passed: 3, failed: 1},
		{name: "a test may run again, and did not", suite: Suite{Phases: []*Phase{{Result: failed(true, "TestA")}}}, passed: 3, failed: 1},
		{name: "a test passed when it ran again", suite: Suite{Phases: []*Phase{{Result: failed(true, "TestA", "TestA/sub")}}},
			second: map[string]Result{"TestA": passes}, passed: 5, flaky: []string{"TestA"}, green: true},
		{name: "a test passed when it ran again, but strictly", suite: Suite{Phases: []*Phase{{Result: failed(true, "TestA", "TestA/sub")}}},
			second: map[string]Result{"TestA": passes}, strict: true, passed: 3, failed: 2, flaky: []string{"TestA"}},
		{name: "a test failed again", suite: Suite{Phases: []*Phase{{Result: failed(true, "TestA")}}},
			second: map[string]Result{"TestA": fails}, passed: 3, failed: 1},
		{name: "a test did not run again", suite: Suite{Phases: []*Phase{{Result: failed(true, "TestA")}}},
			second: map[string]Result{"TestA": {}}, passed: 3, failed: 1},
		{name: "one test passed when it ran again, the other did not", suite: Suite{Phases: []*Phase{{Result: failed(true, "TestA", "TestB")}}},
			second: map[string]Result{"TestA": passes, "TestB": fails}, passed: 4, failed: 1, flaky: []string{"TestA"}},
		{name: "strictly, and all passed", suite: Suite{Phases: []*Phase{{Result: failed(true)}}}, strict: true, passed: 3, green: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			for test, result := range row.second {
				row.suite.Seconds = append(row.suite.Seconds, &Second{Phase: row.suite.Phases[0], Package: "p", Test: test, Result: result})
			}

			verdict := row.suite.Decide(row.strict)

			assert.Equal(t, row.passed, verdict.Passed, "passed")
			assert.Equal(t, row.failed, verdict.Failed, "failed")
			assert.Equal(t, row.green, verdict.Green(), "green")
			var flaky []string
			for _, second := range verdict.Flaky {
				flaky = append(flaky, second.Test)
			}
			assert.Equal(t, row.flaky, flaky)
		})
	}
}

func TestASecondRunForgivesNoOtherPackageOrPhase(t *testing.T) {
	first, other := &Phase{Result: failed(true, "TestA")}, &Phase{Result: failed(true, "TestA")}
	first.Result.Failures = append(first.Result.Failures, Failure{Package: "q", Test: "TestA", Again: true})
	suite := Suite{Phases: []*Phase{first, other}, Seconds: []*Second{{Phase: first, Package: "p", Test: "TestA", Result: Result{Passed: 1}}}}

	verdict := suite.Decide(false)

	assert.Equal(t, 2, verdict.Failed)
	assert.Equal(t, "q", first.Result.Failures[0].Package)
}
