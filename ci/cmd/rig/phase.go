package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// phase is one run of `go test`.
type phase struct {
	name        string
	tests       judge.Want
	flags       []string // of go test
	environment []string // added

	cluster  bool // it needs one
	restarts bool // and restarts its node
	prepare  func(context.Context, *rig.Rig) error

	raw    []string // instead of go test: a command that prints what `go test -json` does
	folder string   // of the repository, where it runs; empty: its root

	only    bool   // some of the packages' test functions, which are to be named
	subtest string // what subtests have to match, behind a slash

	elapsed time.Duration
	record  *judge.Record
	judged  judge.Phase
}

// choice says which tests are to run, and how strictly.
type choice struct {
	run    string
	strict bool
}

// narrow leaves those tests in a phase that match one of the patterns of go test: a regular expression for the test function's
// name, and behind a slash some for its subtests, if there is but one pattern. It returns the patterns that nothing matches.
func (p *phase) narrow(patterns ...string) (unmatched []string, err error) {
	kept := judge.Want{}
	for _, pattern := range patterns {
		name, subtest, _ := strings.Cut(pattern, "/")
		matching, err := regexp.Compile(name)
		if err != nil {
			return nil, err
		}
		if subtest != "" { // in parentheses, as a bar outside of them would begin another pattern
			p.subtest = "/(" + strings.ReplaceAll(subtest, "/", ")/(") + ")"
		}
		found := false
		for pkg, names := range p.tests {
			for _, name := range names {
				if matching.MatchString(name) {
					found = true
					kept[pkg] = append(kept[pkg], name)
				}
			}
		}
		if !found {
			unmatched = append(unmatched, pattern)
		}
	}
	for pkg, names := range kept {
		slices.Sort(names)
		kept[pkg] = slices.Compact(names)
	}
	p.tests, p.only = kept, true
	return unmatched, nil
}

// alone is the phase of one of the tests.
func (p *phase) alone(pkg, test string) *phase {
	one := *p
	one.name, one.tests, one.only = test+" again, alone", judge.Want{pkg: {test}}, true
	return &one
}

// command is what runs the tests.
func (p *phase) command() []string {
	if p.raw != nil {
		return p.raw
	}
	args := append([]string{"go", "test", "-json"}, p.flags...)
	if p.only {
		var names []string
		for _, of := range p.tests {
			names = append(names, of...)
		}
		slices.Sort(names)
		args = append(args, "-run=^("+strings.Join(slices.Compact(names), "|")+")$"+p.subtest)
	}
	return append(args, slices.Sorted(maps.Keys(p.tests))...)
}

// run runs a phase's tests, and keeps what is printed in a file. Its error is one of the run, not of the tests.
func (p *phase) run(ctx context.Context, r *rig.Rig, events string, left *estimate) error {
	file, err := os.Create(events)
	if err != nil {
		return err
	}
	defer file.Close()
	return r.Reporter.Step(ctx, "Tests "+p.name, func(ctx context.Context, step *progress.Step) error {
		pace := newPace(p, left)
		said := map[[2]string]bool{}
		p.record = judge.NewRecord(p.tests, func(e judge.Event) {
			pace.see(e)
			if e.Action == "fail" && e.Test != "" && e.Test == e.Top() {
				said[[2]string{e.Package, e.Test}] = true
				sayFailure(r.Reporter, e.Package+" "+e.Test, "it failed", p.record.Output(e.Package, e.Test))
			}
		})
		stop := every(time.Second, func() { step.Is("%s", pace) })
		ended := p.execute(ctx, r, io.MultiWriter(file, p.record))
		stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.elapsed = time.Since(pace.begin)
		left.ended(p.name, pace)
		result := p.record.Judge(exitOf(ended))
		for i := range result.Failures {
			f := &result.Failures[i]
			if f.Name() == "" {
				f.Output = proc.Printed(ended) // go test's own words
			}
			if key := [2]string{f.Package, f.Test}; !strings.Contains(f.Test, "/") && !said[key] {
				sayFailure(r.Reporter, f.Name(), f.Reason, f.Output)
			}
		}
		step.Result("%d passed, %d failed", result.Passed, len(result.Failures))
		p.judged = judge.Phase{Name: p.name, Result: result, Once: p.raw != nil}
		return nil
	})
}

func (p *phase) execute(ctx context.Context, r *rig.Rig, stdout io.Writer) error {
	_, err := proc.Run(ctx, proc.Cmd{Args: p.command(), Dir: filepath.Join(r.Root, p.folder), Env: p.environment, Log: r.Reporter.Log(), Stdout: stdout})
	return err
}

// ranSubtests tells whether any ran.
func (p *phase) ranSubtests() bool {
	return slices.ContainsFunc(p.judged.Result.Tests, func(test *judge.Test) bool { return strings.Contains(test.Name, "/") })
}

// exitOf is the exit code of a command by its error; -1 is any other end than an exit.
func exitOf(err error) int {
	var exited *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exited):
		return exited.ExitCode()
	}
	return -1
}

// noise are the lines that say when which test ran.
var noise = regexp.MustCompile(`(?m)^=== (RUN|PAUSE|CONT) .*\n`)

// sayFailure shows what a test printed, if it says anything.
func sayFailure(reporter *progress.Reporter, name, reason, output string) {
	if output = strings.TrimRight(noise.ReplaceAllString(output, ""), "\n"); output != "" {
		reporter.Say("--- %s\n%s", strings.TrimPrefix(name+": "+reason, ": "), output)
	}
}

// every calls f now and then until stop is called.
func every(interval time.Duration, f func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			f()
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}

// fileName is a name of a phase or test as that of a file.
func fileName(name string) string {
	return strings.NewReplacer(" ", "-", "/", "-", "'", "").Replace(name)
}

// resultsFolder returns a new folder for what the tests of this run print.
func resultsFolder(r *rig.Rig) (string, error) {
	folder := filepath.Join(r.Cache, "results", fmt.Sprintf("%s-%d", time.Now().Format("20060102-150405"), os.Getpid()))
	return folder, os.MkdirAll(folder, 0o755)
}
