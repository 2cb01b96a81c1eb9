package judge

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
)

// The elements of JUnit's XML, with those that Surefire adds for tests that ran again.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Package  string      `xml:"package,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Flakes   int         `xml:"flakes,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class string        `xml:"classname,attr"`
		Name  string        `xml:"name,attr"`
		Time  string        `xml:"time,attr,omitempty"`
		Fail  *junitFailure `xml:"failure"`
		Flaky *junitRerun   `xml:"flakyFailure"` // it failed, and passed when it ran again
		Rerun *junitRerun   `xml:"rerunFailure"` // it failed, and failed when it ran again
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Output  string `xml:",chardata"`
	}
	junitRerun struct {
		Message string `xml:"message,attr"`
		Output  string `xml:"system-out"`
	}
)

// WriteJUnit writes what a suite came to as JUnit's XML, after the verdict.
func (s *Suite) WriteJUnit(w io.Writer) error {
	var all junitSuites
	for _, p := range append(s.Phases[:len(s.Phases):len(s.Phases)], &Phase{Name: "checks", Result: Result{Failures: s.Checks}}) {
		all.Suites = append(all.Suites, s.junitOf(p)...)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", " ")
	return encoder.Encode(all)
}

func (s *Suite) junitOf(p *Phase) (suites []junitSuite) {
	index := map[string]int{}
	of := func(pkg string) *junitSuite {
		i, known := index[pkg]
		if !known {
			i = len(suites)
			index[pkg] = i
			suites = append(suites, junitSuite{Name: p.Name, Package: pkg})
		}
		return &suites[i]
	}
	tests := map[[2]string]bool{}
	failures := map[[2]string]Failure{}
	for _, test := range p.Result.Tests {
		tests[[2]string{test.Package, test.Name}] = true
	}
	for _, f := range p.Result.Failures {
		key := [2]string{f.Package, f.Test}
		if tests[key] {
			failures[key] = f
			continue
		}
		suite := of(f.Package)
		suite.Tests++
		suite.Failures++
		suite.Cases = append(suite.Cases, junitCase{Class: f.Package, Name: cmp.Or(f.Test, "(all)"), Fail: &junitFailure{f.Reason, f.Output}})
	}
	for _, test := range p.Result.Tests {
		f, failed := failures[[2]string{test.Package, test.Name}]
		if len(test.ends) == 0 && !failed {
			continue // the package's failure names it
		}
		suite := of(test.Package)
		suite.Tests++
		line := junitCase{Class: test.Package, Name: test.Name, Time: fmt.Sprintf("%.3f", test.Elapsed)}
		if failed {
			suite.Failures++
			line.Fail = &junitFailure{Message: f.Reason}
			if test.Name == top(test.Name) { // the output is that of the subtests too
				line.Fail.Output = f.Output
			}
		}
		for _, second := range s.Seconds {
			switch {
			case second.Phase != p || second.Package != test.Package || second.Test != test.Name:
			case second.Flaky():
				suite.Flakes++
				line.Flaky = &junitRerun{"it failed, and passed when it ran again alone", second.First}
			default:
				line.Rerun = &junitRerun{"it failed again when it ran alone", second.Output}
			}
		}
		suite.Cases = append(suite.Cases, line)
	}
	return suites
}
