package judge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a run of package p may print, without what says how long it took.
const (
	start    = `{"Action":"start","Package":"p"}` + "\n"
	runA     = `{"Action":"run","Package":"p","Test":"TestA"}` + "\n"
	passA    = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
	failA    = `{"Action":"fail","Package":"p","Test":"TestA"}` + "\n"
	skipA    = `{"Action":"skip","Package":"p","Test":"TestA"}` + "\n"
	runSub   = `{"Action":"run","Package":"p","Test":"TestA/sub"}` + "\n"
	passSub  = `{"Action":"pass","Package":"p","Test":"TestA/sub"}` + "\n"
	failSub  = `{"Action":"fail","Package":"p","Test":"TestA/sub"}` + "\n"
	pauseA   = `{"Action":"pause","Package":"p","Test":"TestA"}` + "\n"
	contA    = `{"Action":"cont","Package":"p","Test":"TestA"}` + "\n"
	sayA     = `{"Action":"output","Package":"p","Test":"TestA","Output":"x\n"}` + "\n"
	runB     = `{"Action":"run","Package":"p","Test":"TestB"}` + "\n"
	passB    = `{"Action":"pass","Package":"p","Test":"TestB"}` + "\n"
	saysPASS = `{"Action":"output","Package":"p","Output":"PASS\n"}` + "\n"
	saysFAIL = `{"Action":"output","Package":"p","Output":"FAIL\n"}` + "\n"
	pass     = `{"Action":"pass","Package":"p"}` + "\n"
	fail     = `{"Action":"fail","Package":"p"}` + "\n"
	skip     = `{"Action":"skip","Package":"p"}` + "\n"
)

var (
	onlyA = Want{"p": {"TestA"}}
	both  = Want{"p": {"TestA", "TestB"}}
)

func TestARunIsGreenOnlyIfEveryTestThatWasToRunPassed(t *testing.T) {
	for _, row := range []struct {
		name    string
		want    Want
		printed string
		exit    int
		passed  int
		red     []string // the failures; "~" is before those that may run again
	}{
		{"all passed", both, start + runA + runSub + passSub + passA + runB + passB + saysPASS + pass, 0, 3, nil},
		{"a test of which nobody knew", onlyA, start + runA + passA + runB + passB + saysPASS + pass, 0, 2, nil},

		{"a test failed", both, start + runA + failA + runB + passB + saysFAIL + fail, 1, 1, []string{"~p TestA: it failed"}},
		{"a subtest failed", onlyA, start + runA + runSub + failSub + failA + saysFAIL + fail, 1, 0, []string{"~p TestA: it failed", "~p TestA/sub: it failed"}},
		{"a subtest failed, and its parent passed", onlyA, start + runA + runSub + failSub + passA + saysPASS + pass, 0, 1, []string{"p TestA/sub: it failed"}},
		{"a test failed, and exit code 0", both, start + runA + failA + runB + passB + saysFAIL + fail, 0, 1, []string{"p TestA: it failed"}},
		{"a test failed in a package that passed", both, start + runA + failA + runB + passB + saysFAIL + pass, 1, 1, []string{"p TestA: it failed"}},
		{"a test failed, and its process did not reach its end", both, start + runA + failA + runB + passB + fail, 1, 1, []string{"p TestA: it failed"}},
		{"a test that itself says FAIL failed, and its process did not reach its end", onlyA,
			start + runA + `{"Action":"output","Package":"p","Test":"TestA","Output":"FAIL\n"}` + "\n" + failA + fail, 1, 0, []string{"p TestA: it failed"}},
		{"a test failed and passed", onlyA, start + runA + failA + passA + saysFAIL + fail, 1, 0, []string{"p TestA: it ended more than once: fail, pass"}},
		{"a test passed twice", onlyA, start + runA + passA + passA + saysPASS + pass, 0, 0, []string{"p TestA: it ended more than once: pass, pass"}},
		{"a test was skipped", both, start + runA + skipA + runB + passB + saysPASS + pass, 0, 1, []string{"p TestA: it was skipped, which counts as a failure"}},

		{"a test did not run", both, start + runA + passA + saysPASS + pass, 0, 1, []string{"p: these did not run: TestB"}},
		{"no test ran", both, start + saysPASS + pass, 0, 0, []string{"p: these did not run: TestA, TestB"}},
		{"a test did not end", both, start + runA + runB + passB + fail, 1, 1, []string{"p TestA: it started and did not end"}},
		{"a test did not end, and exit code 0", both, start + runA + runB + passB + saysPASS + pass, 0, 1, []string{"p TestA: it started and did not end"}},
		{"a test did not end, nor its subtests", both, start + runA + runSub + runB + passB + fail, 1, 1, []string{"p TestA: it started and did not end"}},
		{"a subtest of no test did not end", Want{"p": nil}, start + runSub + saysPASS + pass, 0, 0, []string{"p TestA/sub: it started and did not end"}},
		{"a test waited for its turn, and did not run", both, start + runA + pauseA + sayA + runB + passB + saysPASS + pass, 0, 1, []string{"p: these did not run: TestA"}},
		{"a test waited for its turn, and did not end", both, start + runA + pauseA + runB + passB + contA + sayA + saysPASS + pass, 0, 1, []string{"p TestA: it started and did not end"}},
		{"a test waited for its turn, and passed", both, start + runA + pauseA + runB + passB + contA + passA + saysPASS + pass, 0, 2, nil},
		{"a subtest did not end", onlyA, start + runA + runSub + passA + saysPASS + pass, 0, 1, []string{"p TestA/sub: it started and did not end"}},

		{"a package did not run", Want{"p": {"TestA"}, "q": {"TestC"}}, start + runA + passA + saysPASS + pass, 0, 1, []string{"q: these did not run: TestC", "q: the package ended 0 times"}},
		{"a package did not end", onlyA, start + runA + passA + saysPASS, 0, 1, []string{"p: the package ended 0 times"}},
		{"a package ended twice", onlyA, start + runA + passA + saysPASS + pass + pass, 0, 1, []string{"p: the package ended 2 times"}},
		{"a package failed, all of whose tests passed", onlyA, start + runA + passA + saysPASS + fail, 1, 1, []string{"p: the package ended with fail, though none of its tests did"}},
		{"a package was left out, all of whose tests passed", onlyA, start + runA + passA + skip, 0, 1, []string{"p: the package ended with skip, though none of its tests did"}},
		{"a package without a test file", Want{"p": nil}, start + skip, 0, 0, []string{"p: the package ended with skip, though none of its tests did"}},
		{"a package of benchmarks alone", Want{"p": {}}, start + saysPASS + pass, 0, 0, []string{"p: no test ran"}},
		{"a package of benchmarks alone, beside another", Want{"p": {}, "q": {"TestC"}},
			start + saysPASS + pass + `{"Action":"pass","Package":"q","Test":"TestC"}` + "\n" + `{"Action":"pass","Package":"q"}` + "\n", 0, 1, []string{"p: no test ran"}},
		{"a package does not build", both, `{"ImportPath":"p [p.test]","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}
`, 1, 0, []string{"p: it does not build"}},
		{"a package does not build, and exit code 0", both, `{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}` + "\n", 0, 0, []string{"p: it does not build"}},

		{"nothing was to run, and nothing did", Want{}, "", 0, 0, []string{": no test ran"}},
		{"nothing was printed", onlyA, "", 0, 0, []string{"p: these did not run: TestA", "p: the package ended 0 times"}},
		{"the output is cut within a line", onlyA, start + runA + passA + saysPASS + pass + `{"Action":"pa`, 0, 1, []string{`: its output breaks off: "{\"Action\":\"pa"`}},
		{"the output is cut before the last line's end", onlyA, start + runA + passA + saysPASS + strings.TrimSuffix(pass, "\n"), 0, 1,
			[]string{"p: the package ended 0 times", `: its output breaks off: "{\"Action\":\"pass\",\"Package\":\"p\"}"`}},
		{"a line is no JSON", onlyA, start + runA + passA + "oops\n" + saysPASS + pass, 0, 1, []string{`: it printed what is no event: "oops"`}},
		{"a line is no event", onlyA, start + runA + passA + "{}\n" + saysPASS + pass, 0, 1, []string{`: it printed what is no event: "{}"`}},

		{"all passed, and exit code 1", both, start + runA + passA + runB + passB + saysPASS + pass, 1, 2, []string{": the command failed, though no test did"}},
		{"all passed, and exit code 2", both, start + runA + passA + runB + passB + saysPASS + pass, 2, 2, []string{": the command did not end by itself: exit code 2"}},
		{"all passed, and the command was killed", both, start + runA + passA + runB + passB + saysPASS + pass, -1, 2, []string{": the command did not end by itself: exit code -1"}},
		{"a test failed, and the command was killed", onlyA, start + runA + failA + saysFAIL + fail, -1, 0, []string{"p TestA: it failed", ": the command did not end by itself: exit code -1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			record := NewRecord(row.want, nil)
			fmt.Fprint(record, row.printed)

			result := record.Judge(row.exit)

			assert.Equal(t, row.red, told(result))
			assert.Equal(t, row.passed, result.Passed, "passed")
			assert.Equal(t, row.red == nil, result.Green(), "green")
		})
	}
}

// told returns the failures as text, with a "~" before those that may run again.
func told(result Result) (lines []string) {
	for _, f := range result.Failures {
		line := f.Name() + ": " + f.Reason
		if f.Again {
			line = "~" + line
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTheOutputMayComeInAnyPieces(t *testing.T) {
	record := NewRecord(both, nil)
	for _, b := range []byte(start + runA + passA + runB + passB + saysPASS + pass) {
		n, err := record.Write([]byte{b})
		assert.Equal(t, 1, n)
		assert.NoError(t, err)
	}

	result := record.Judge(0)

	assert.Empty(t, told(result))
	assert.Equal(t, 2, result.Passed)
}

func TestAFailureHasWhatTheTestFunctionAndItsSubtestsPrinted(t *testing.T) {
	output := func(test, text string) string {
		return fmt.Sprintf(`{"Action":"output","Package":"p","Test":%q,"Output":"%s\n"}`+"\n", test, text)
	}
	record := NewRecord(onlyA, nil)
	fmt.Fprint(record, start+runA+output("TestA", "one")+runSub+output("TestA/sub", "two")+output("TestB", "three")+failSub+failA+saysFAIL+fail)

	result := record.Judge(1)

	assert.Equal(t, "one\ntwo\n", result.Failures[0].Output)
	assert.Equal(t, "one\ntwo\n", record.Output("p", "TestA"))
}

func TestAPackageThatDoesNotBuildHasTheCompilersWords(t *testing.T) {
	record := NewRecord(onlyA, nil)
	fmt.Fprint(record, `{"ImportPath":"p [p.test]","Action":"build-output","Output":"undefined: x\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}
`)

	result := record.Judge(1)

	assert.Equal(t, "undefined: x\nFAIL\tp [build failed]\n", result.Failures[0].Output)
}

func TestWhoWatchesARunSeesEachEvent(t *testing.T) {
	var seen []string
	record := NewRecord(onlyA, func(e Event) { seen = append(seen, e.Action+" "+e.Top()) })

	fmt.Fprint(record, start+runA+runSub+passSub+"oops\n"+passA)

	assert.Equal(t, []string{"start ", "run TestA", "run TestA", "pass TestA", "pass TestA"}, seen)
}
