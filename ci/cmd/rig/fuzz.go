package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// fuzzExecutions take about 10 minutes on two cores. A number and not a time: with a time Go 1.26 reports the end as a failure
// now and then (golang/go#75804).
const fuzzExecutions = 12000

// atRandom is the phase of values that are drawn at random, the same in each run: in `make test` nothing may fail for once.
func atRandom(listed judge.Want) *phase {
	return &phase{
		name:        "of values at random",
		tests:       named(below(listed, fuzzTests), "Test"),
		only:        true, // the fuzz target of the same package is for the soak
		flags:       []string{"-count=1", "-timeout=15m"},
		environment: []string{"GOGC=400"}, // as of templates
		prepare:     func(ctx context.Context, r *rig.Rig) error { return r.Prepare("validate", "expand")(ctx) },
	}
}

// named are the tests whose names begin so.
func named(tests judge.Want, prefix string) judge.Want {
	kept := judge.Want{}
	for pkg, names := range tests {
		for _, name := range names {
			if strings.HasPrefix(name, prefix) {
				kept[pkg] = append(kept[pkg], name)
			}
		}
	}
	return kept
}

// fuzzing is the phase that fuzzes. The binary is built without the instrumentation of `go test -fuzz`: what is fuzzed are
// templates, of which the coverage of Go code says nothing, and with it a run of a second takes half a minute.
func fuzzing(r *rig.Rig, listed judge.Want) *phase {
	binary := filepath.Join(r.Root, ".build", "fuzz.test")
	tests := named(below(listed, fuzzTests), "Fuzz")
	pkg := strings.Join(slices.Collect(maps.Keys(tests)), " ") // there is one
	return &phase{
		name:  "fuzzing",
		tests: tests,
		prepare: func(ctx context.Context, r *rig.Rig) error {
			return r.Reporter.Step(ctx, "Compiling the fuzzer", func(ctx context.Context, s *progress.Step) error {
				_, err := proc.Run(ctx, proc.Cmd{Args: []string{"go", "test", "-c", "-o", binary, "./" + fuzzTests}, Dir: r.Root, Log: s.Log()})
				return err
			})
		},
		raw: []string{"go", "tool", "test2json", "-t", "-p", pkg, binary, "-test.v=test2json", "-test.paniconexit0",
			"-test.run=^$", "-test.fuzz=^Fuzz", fmt.Sprintf("-test.fuzztime=%dx", fuzzExecutions),
			"-test.fuzzcachedir=" + filepath.Join(r.Root, ".build", "fuzz"), "-test.timeout=60m"},
		folder: fuzzTests,
	}
}
