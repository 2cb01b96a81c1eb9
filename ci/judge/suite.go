package judge

// MostAgain is the number of tests beyond which none runs again: then it is not chance.
const MostAgain = 10

// Suite is what the phases of a run came to.
type Suite struct {
	Phases  []*Phase
	Checks  []Failure // of what is no test, as go vet
	Seconds []*Second
}

// Phase is a part of a run.
type Phase struct {
	Name   string
	Result Result
	Once   bool // what fails here fails: a fuzzer's finding is one, whether or not it comes again
}

// Second is the second run of a test function that had failed.
type Second struct {
	Phase         *Phase
	Package, Test string
	First         string // what it had printed
	Result        Result // of the second run
	Output        string
}

// Flaky tells whether the test passed when it ran again.
func (s *Second) Flaky() bool { return s.Result.Green() }

// Again returns the tests to run again, alone: those that failed, if that can make the suite green.
func (s *Suite) Again() []*Second {
	if len(s.Checks) > 0 {
		return nil
	}
	var again []*Second
	for _, p := range s.Phases {
		seen := map[[2]string]bool{}
		for _, f := range p.Result.Failures {
			if !f.Again || p.Once {
				return nil
			}
			if key := [2]string{f.Package, top(f.Test)}; !seen[key] {
				seen[key] = true
				again = append(again, &Second{Phase: p, Package: f.Package, Test: top(f.Test), First: f.Output})
			}
		}
	}
	if len(again) > MostAgain {
		return nil
	}
	return again
}

// Verdict is what a suite comes to.
type Verdict struct {
	Passed, Failed int
	Flaky          []*Second
}

// Green tells whether the run is a success.
func (v Verdict) Green() bool { return v.Passed > 0 && v.Failed == 0 }

// Decide comes to the verdict. A test that passed when it ran again has passed, unless strict.
func (s *Suite) Decide(strict bool) Verdict {
	var v Verdict
	for _, second := range s.Seconds {
		if !second.Flaky() {
			continue
		}
		v.Flaky = append(v.Flaky, second)
		if !strict {
			second.Phase.Result.forgive(second.Package, second.Test)
		}
	}
	v.Failed = len(s.Checks)
	for _, p := range s.Phases {
		v.Passed += p.Result.Passed
		v.Failed += len(p.Result.Failures)
	}
	return v
}

// forgive takes the failures of a test function and its subtests for passed.
func (r *Result) forgive(pkg, test string) {
	var left []Failure
	for _, f := range r.Failures {
		if f.Package == pkg && top(f.Test) == test {
			r.Passed++
		} else {
			left = append(left, f)
		}
	}
	r.Failures = left
}
