package judge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJUnitHasEveryTestWithWhatItsSecondRunCameTo(t *testing.T) {
	ran := func(names ...string) (tests []*Test) {
		for _, name := range names {
			tests = append(tests, &Test{Package: "p", Name: name, Elapsed: 1.5, ends: []string{"pass"}})
		}
		return append(tests, &Test{Package: "p", Name: "TestThatDidNotEnd"})
	}
	first := &Phase{Name: "first", Result: Result{Passed: 1, Tests: ran("TestGood", "TestFlaky", "TestBad", "TestBad/sub"), Failures: []Failure{
		{Package: "p", Test: "TestFlaky", Reason: "it failed", Output: "by chance"},
		{Package: "p", Test: "TestBad", Reason: "it failed", Output: "really <\x01>"},
		{Package: "p", Test: "TestBad/sub", Reason: "it failed", Output: "really <\x01>"},
	}}}
	second := &Phase{Name: "second", Result: Result{Failures: []Failure{{Package: "q", Reason: "it does not build", Output: "undefined: x"}}}}
	suite := &Suite{
		Phases: []*Phase{first, second},
		Checks: []Failure{{Test: "go vet", Reason: "it found something", Output: "self-assignment"}},
		Seconds: []*Second{
			{Phase: first, Package: "p", Test: "TestFlaky", First: "by chance", Result: Result{Passed: 1}},
			{Phase: first, Package: "p", Test: "TestBad", First: "really", Output: "really again", Result: Result{Failures: []Failure{{}}}},
		},
	}

	var forgiving, strict strings.Builder
	suite.Decide(true)
	require.NoError(t, suite.WriteJUnit(&strict))
	suite.Decide(false)
	require.NoError(t, suite.WriteJUnit(&forgiving))

	assert.Equal(t, `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
 <testsuite name="first" package="p" tests="4" failures="2" flakes="1">
  <testcase classname="p" name="TestGood" time="1.500"></testcase>
  <testcase classname="p" name="TestFlaky" time="1.500">
   <flakyFailure message="it failed, and passed when it ran again alone">
    <system-out>by chance</system-out>
   </flakyFailure>
  </testcase>
  <testcase classname="p" name="TestBad" time="1.500">
   <failure message="it failed">really &lt;�&gt;</failure>
   <rerunFailure message="it failed again when it ran alone">
    <system-out>really again</system-out>
   </rerunFailure>
  </testcase>
  <testcase classname="p" name="TestBad/sub" time="1.500">
   <failure message="it failed"></failure>
  </testcase>
 </testsuite>
 <testsuite name="second" package="q" tests="1" failures="1" flakes="0">
  <testcase classname="q" name="(all)">
   <failure message="it does not build">undefined: x</failure>
  </testcase>
 </testsuite>
 <testsuite name="checks" package="" tests="1" failures="1" flakes="0">
  <testcase classname="" name="go vet">
   <failure message="it found something">self-assignment</failure>
  </testcase>
 </testsuite>
</testsuites>`, forgiving.String())
	assert.Contains(t, strict.String(), `<failure message="it failed">by chance</failure>
   <flakyFailure message="it failed, and passed when it ran again alone">`)
}
