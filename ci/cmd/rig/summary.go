package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// conclude comes to the verdict and tells it. Programs read the last lines.
func (s *suite) conclude() error {
	say := s.rig.Reporter.Say
	verdict := s.judged.Decide(s.chosen.strict)
	s.sayTable()
	s.sayCircumstances()
	s.sayFailures()
	if err := s.writeJUnit(); err != nil {
		return err
	}
	say("\nAll in %s. What each test printed, and junit.xml: %s", progress.Short(s.rig.Reporter.Elapsed()), s.folder)
	for _, second := range verdict.Flaky {
		if err := s.sayFlaky(second); err != nil {
			return err
		}
	}
	say("\nflaky: %d", len(verdict.Flaky))
	say("%d passed, %d failed", verdict.Passed, verdict.Failed)
	for _, figure := range s.figures(verdict) {
		say("bench: suite/%s", figure)
	}
	if !verdict.Green() {
		return errQuiet
	}
	return nil
}

// figures are what `make test` is known by; test-render tells how long the templates took.
func (s *suite) figures(verdict judge.Verdict) (figures []string) {
	if s.whole {
		figures = append(figures, fmt.Sprintf("minutes %.1f min", s.rig.Reporter.Elapsed().Minutes()))
	}
	for _, p := range s.phases {
		if p.name == templatesName && s.chosen.run == "" {
			figures = append(figures, fmt.Sprintf("render-seconds %.0f s", p.elapsed.Seconds()))
		}
	}
	if s.whole {
		figures = append(figures, fmt.Sprintf("flaky %d tests", len(verdict.Flaky)), fmt.Sprintf("tests %d tests", verdict.Passed+verdict.Failed))
	}
	return figures
}

func (s *suite) sayTable() {
	w := tabwriter.NewWriter(s.rig.Reporter.Out(), 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "\nTests\tpassed\tfailed\ttime\n")
	for _, p := range s.phases {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", p.name, p.judged.Result.Passed, len(p.judged.Result.Failures), progress.Short(p.elapsed))
	}
	w.Flush()
}

func (s *suite) sayCircumstances() {
	say, c := s.rig.Reporter.Say, s.cluster
	if c == nil {
		say("\nWithout a cluster.")
		return
	}
	say("\nCluster: %s, %s %s", c.Context, c.Origin, c.NodeImage)
	if c.Origin == rig.Callers {
		say("Images: those its nodes have or pull.")
	}
	for _, image := range c.Images {
		say("Image: %s", image)
	}
}

func (s *suite) sayFailures() {
	for _, f := range s.judged.Checks {
		s.rig.Reporter.Say("FAILED: %s: %s", f.Name(), f.Reason)
	}
	for _, p := range s.phases {
		for _, f := range p.judged.Result.Failures {
			name := f.Name()
			if name == "" {
				name = "tests " + p.name
			}
			s.rig.Reporter.Say("FAILED: %s: %s", name, f.Reason)
		}
	}
}

// shownLines is how much of a flaky test's first output stands in the summary.
const shownLines = 20

// sayFlaky keeps both outputs of a test in files, and shows the end of the one in which it failed.
func (s *suite) sayFlaky(second *judge.Second) error {
	name := path.Base(second.Package) + "." + second.Test
	first, again := filepath.Join(s.folder, name+".first.txt"), filepath.Join(s.folder, name+".second.txt")
	if err := os.WriteFile(first, []byte(second.First), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(again, []byte(second.Output), 0o644); err != nil {
		return err
	}
	lines := strings.Split(strings.Trim(noise.ReplaceAllString(second.First, ""), "\n"), "\n")
	shown := lines[max(0, len(lines)-shownLines):]
	s.rig.Reporter.Say("\nFLAKY: %s %s failed, and passed when it ran again alone.\n  first:  %s\n  second: %s\n  The first ended with\n    %s",
		second.Package, second.Test, first, again, strings.Join(shown, "\n    "))
	return nil
}

func (s *suite) writeJUnit() error {
	file, err := os.Create(filepath.Join(s.folder, "junit.xml"))
	if err != nil {
		return err
	}
	defer file.Close()
	return s.judged.WriteJUnit(file)
}
