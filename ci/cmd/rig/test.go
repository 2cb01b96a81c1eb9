package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// The folders of the tests that need a cluster, and of the scripts'.
const (
	clusterTests = "tests/e2e"
	fuzzTests    = "tests/fuzz"
	restartTests = "tests/restart" // of what a node's restart leaves: alone and last
	soakTests    = "tests/soak"    // of images that take minutes to build: in test-soak alone
	scriptTests  = "tests/scripts" // which need no cluster
	chartTests   = "tests/charts"  // of other people's charts: make test-charts
)

// onlyBenchmarks are the folders of packages that have benchmarks and no tests.
var onlyBenchmarks = []string{"tests/bench/backups", "tests/bench/tokens"}

// poolSize is how many of the cluster's tests that assert facts run at a time, after those that assert seconds. They mostly wait:
// on two cores twelve tests of databases take 228 s with two at a time, and 126 s with six.
const poolSize = 6

// test runs all tests, and is only content if all of them ran and passed.
func test(ctx context.Context, r *rig.Rig, chosen choice) error {
	listed, program, err := listTests(ctx, r)
	if err != nil {
		return err
	}
	atLength, err := marked(r)
	if err != nil {
		return err
	}
	rendered, err := renderedFolder(r, chosen)
	if err != nil {
		return err
	}
	// One after the other: on two cores, what takes a core from a test that measures seconds costs more than it saves.
	r.Besides = append(r.Besides, r.Prepare(toolsOfTests...))
	s := &suite{rig: r, chosen: chosen, whole: chosen.run == ""}
	return s.runPhases(ctx, phasesOfTest(listed, program, atLength, rendered)...)
}

// testRender runs the tests that need neither cluster nor Docker.
func testRender(ctx context.Context, r *rig.Rig, chosen choice) error {
	listed, program, err := listTests(ctx, r)
	if err != nil {
		return err
	}
	s := &suite{rig: r, chosen: chosen}
	return s.runPhases(ctx, phasesOfTestRender(listed, program)...)
}

// listTests returns the tests of the repository's module and of the program's.
func listTests(ctx context.Context, r *rig.Rig) (listed, program judge.Want, err error) {
	if listed, err = judge.List(ctx, r.Reporter.Log(), r.Root, "./..."); err != nil {
		return nil, nil, err
	}
	program, err = judge.List(ctx, r.Reporter.Log(), filepath.Join(r.Root, programModule), "./...")
	return listed, program, err
}

// phasesOfTestRender are the phases of `make test-render`.
func phasesOfTestRender(listed, program judge.Want) []*phase {
	return []*phase{ofTemplates(listed), ofProgram(program), ofScripts(listed)}
}

// marked are the names of the cluster's tests that begin with harness.Soak(t): `make test-soak` runs them, `make test` does not.
func marked(r *rig.Rig) ([]string, error) {
	return judge.Marked(filepath.Join(r.Root, clusterTests), "harness.Soak(t)")
}

// phasesOfTest are the phases of `make test`, which leaves out the cluster's tests that are marked. What is rendered goes to a
// folder, and from there to the API server.
func phasesOfTest(listed, program judge.Want, marked []string, rendered string) []*phase {
	phases := phasesOfTestRender(listed, program)
	for _, p := range phases {
		p.flags = append(p.flags, "-count=1")
		if p.name == templatesName {
			p.environment = append(p.environment, "OUTRIGGER_RENDERED="+rendered)
		}
	}
	within := &phase{
		name:    "in the cluster",
		tests:   without(below(listed, clusterTests), marked),
		cluster: true,
		// One package at a time: the tests share two cores with the cluster and measure seconds.
		flags: []string{"-p=1", "-count=1", fmt.Sprintf("-parallel=%d", poolSize), "-timeout=60m",
			"-skip=^(" + strings.Join(marked, "|") + ")$"},
		environment: []string{"OUTRIGGER_RENDERED=" + rendered}, // what was rendered there is put to the API server here
	}
	restart := &phase{
		name:     "with a restart of the node",
		tests:    below(listed, restartTests),
		cluster:  true,
		restarts: true,
		flags:    []string{"-p=1", "-count=1", "-timeout=15m"},
	}
	return append(phases, within, atRandom(listed), restart)
}

// renderedFolder returns a new folder for what the tests render, and removes those of earlier runs. Its name is new too:
// Go's test cache goes by the variables that a test reads, and a cached test would leave nothing there. A run of chosen
// tests gets the folder of the last whole run, as the tests that fill it may not be among them.
func renderedFolder(r *rig.Rig, chosen choice) (string, error) {
	folder := filepath.Join(r.Cache, "rendered")
	if earlier, _ := filepath.Glob(filepath.Join(folder, "*")); chosen.run != "" && len(earlier) > 0 {
		return earlier[0], nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(folder, "")
}

// templatesName names the phase whose time is a figure.
const templatesName = "of templates"

// ofTemplates is the phase of all tests that need neither a cluster nor, as those of scripts do, the programs that backups and
// databases are made of.
func ofTemplates(listed judge.Want) *phase {
	tests := judge.Want{}
	for pkg, names := range listed {
		folders := append([]string{clusterTests, fuzzTests, restartTests, soakTests, scriptTests, chartTests}, onlyBenchmarks...)
		elsewhere := slices.ContainsFunc(folders, func(folder string) bool { return within(pkg, folder) })
		if !elsewhere { // also a package that has lost its tests, which is red
			tests[pkg] = names
		}
	}
	// Who renders leaves much to the garbage collector, which has memory enough here; some tests wait for a program.
	return &phase{name: templatesName, tests: tests, flags: []string{"-parallel=6", "-timeout=15m"}, environment: []string{"GOGC=400"}, prepare: programsOfTests}
}

// ofScripts is the phase of the tests of scripts, which mostly wait.
func ofScripts(listed judge.Want) *phase {
	return &phase{name: "of scripts", tests: below(listed, scriptTests), flags: []string{"-parallel=6", "-timeout=15m"}, prepare: programsOfTests}
}

// programModule is the folder of the program's module.
const programModule = "library"

// ofProgram is the phase of the tests beside the program's packages, which are in a module of their own.
func ofProgram(listed judge.Want) *phase {
	return &phase{name: "of the program", tests: listed, folder: programModule, flags: []string{"-parallel=6", "-timeout=15m"}}
}

// below are the tests of a folder.
func below(listed judge.Want, folder string) judge.Want {
	tests := judge.Want{}
	for pkg, names := range listed {
		if within(pkg, folder) {
			tests[pkg] = names
		}
	}
	return tests
}

// without are tests less those of some names.
func without(tests judge.Want, names []string) judge.Want {
	kept := judge.Want{}
	for pkg, of := range tests {
		kept[pkg] = slices.DeleteFunc(slices.Clone(of), func(name string) bool { return slices.Contains(names, name) })
	}
	return kept
}

func within(pkg, folder string) bool { return strings.Contains(pkg+"/", "/"+folder+"/") }

// toolsOfTests are the programs that tests run on this machine, besides busybox.
var toolsOfTests = []string{"helm", "otelcol-k8s", "env", "expand", "validate", "restic", "rclone", "versitygw"}

// programsOfTests makes the programs ready that tests run on this machine.
func programsOfTests(ctx context.Context, r *rig.Rig) error {
	if _, err := r.BusyBox(ctx); err != nil {
		return err
	}
	return r.Prepare(toolsOfTests...)(ctx)
}
