package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Result is what a run of tests came to.
type Result struct {
	Passed   int // tests and subtests
	Failures []Failure
	Tests    []*Test // all that started, by package
}

// Test is a test or a subtest.
type Test struct {
	Package, Name string
	Elapsed       float64  // seconds
	ends          []string // actions
	waits         bool     // it is to run in parallel, and its turn has not come
}

// Failure is one reason why a run is red.
type Failure struct {
	Package string // empty: the whole run
	Test    string // empty: the whole package
	Reason  string
	Output  string
	// Again tells that the test by itself failed, in a process that went on to its end, so that running it again tells
	// something. What panicked, ran out of time or was not run at all has no second chance.
	Again bool
}

// Name says what failed.
func (f Failure) Name() string { return strings.TrimSpace(f.Package + " " + f.Test) }

// Green tells whether tests ran, and all of them passed.
func (r Result) Green() bool { return r.Passed > 0 && len(r.Failures) == 0 }

// Judge decides about a run that has ended with an exit code; any other end than an exit is -1.
func (r *Record) Judge(exit int) Result {
	var result Result
	for _, name := range slices.Sorted(maps.Keys(r.packages)) {
		p := r.packages[name]
		result.Tests = append(result.Tests, p.order...)
		for _, test := range p.order {
			if slices.Equal(test.ends, []string{"pass"}) {
				result.Passed++
			}
		}
		result.Failures = append(result.Failures, r.failuresOf(name, exit)...)
	}
	if len(r.rest) > 0 {
		result.fail("its output breaks off: %q", r.rest)
	}
	for _, line := range r.strange {
		result.fail("it printed what is no event: %q", line)
	}
	switch {
	case exit != 0 && exit != 1:
		result.fail("the command did not end by itself: exit code %d", exit)
	case exit == 1 && len(result.Failures) == 0:
		result.fail("the command failed, though no test did")
	case len(result.Tests) == 0 && len(result.Failures) == 0:
		result.fail("no test ran")
	}
	return result
}

func (r *Result) fail(format string, args ...any) {
	r.Failures = append(r.Failures, Failure{Reason: fmt.Sprintf(format, args...)})
}

func (r *Record) failuresOf(name string, exit int) (found []Failure) {
	p := r.packages[name]
	fail := func(test, reason string) *Failure {
		found = append(found, Failure{Package: name, Test: test, Reason: reason, Output: r.Output(name, top(test))})
		return &found[len(found)-1]
	}
	if p.failedBuild != "" {
		f := fail("", "it does not build")
		f.Output = text(r.builds[p.failedBuild]) + f.Output
		return found
	}
	var silent []string
	for _, test := range p.order {
		function := p.tests[top(test.Name)]
		switch {
		case len(test.ends) == 0 && function != nil && function != test && len(function.ends) == 0:
			// Neither did its test function, which is told.
		case len(test.ends) == 0 && test.waits:
			silent = append(silent, test.Name)
		case len(test.ends) == 0:
			fail(test.Name, "it started and did not end")
		case len(test.ends) > 1:
			fail(test.Name, "it ended more than once: "+strings.Join(test.ends, ", "))
		case test.ends[0] == "skip":
			fail(test.Name, "it was skipped, which counts as a failure")
		case test.ends[0] == "fail":
			fail(test.Name, "it failed").Again = p.reachedEnd && slices.Equal(p.ends, []string{"fail"}) && exit == 1
		}
	}
	for _, test := range r.want[name] {
		if p.tests[test] == nil {
			silent = append(silent, test)
		}
	}
	if len(silent) > 0 {
		fail("", "these did not run: "+strings.Join(silent, ", "))
	}
	switch {
	case len(p.ends) != 1:
		fail("", fmt.Sprintf("the package ended %d times", len(p.ends)))
	case p.ends[0] != "pass" && len(found) == 0:
		fail("", "the package ended with "+p.ends[0]+", though none of its tests did")
	case len(p.order) == 0 && len(found) == 0:
		fail("", "no test ran")
	}
	return found
}
