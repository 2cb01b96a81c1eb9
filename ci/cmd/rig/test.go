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

// poolSize is how many of the cluster's tests that assert facts run at a time, after those that assert seconds. They mostly wait:
// on two cores twelve tests of databases take 228 s with two at a time, and 126 s with six.
const poolSize = 6

// test runs all tests, and is only content if all of them ran and passed.
func test(ctx context.Context, r *rig.Rig, chosen choice) error {
	listed, err := judge.List(ctx, r.Reporter.Log(), r.Root, "./...")
	if err != nil {
		return err
	}
	program, err := ofProgram(ctx, r)
	if err != nil {
		return err
	}
	rendered, err := renderedFolder(r, chosen)
	if err != nil {
		return err
	}
	templates, scripts := ofTemplates(listed), ofScripts(listed)
	templates.environment = append(templates.environment, "OUTRIGGER_RENDERED="+rendered)
	for _, p := range []*phase{program, templates, scripts} {
		p.flags = append(p.flags, "-count=1")
	}
	within := &phase{
		name:    "in the cluster",
		tests:   below(listed, clusterTests),
		cluster: true,
		// One package at a time: the tests share two cores with the cluster and measure seconds.
		flags:       []string{"-p=1", "-count=1", fmt.Sprintf("-parallel=%d", poolSize), "-timeout=60m"},
		environment: []string{"OUTRIGGER_RENDERED=" + rendered}, // what was rendered there is put to the API server here
	}
	restart := &phase{
		name:     "with a restart of the node",
		tests:    below(listed, restartTests),
		cluster:  true,
		restarts: true,
		flags:    []string{"-p=1", "-count=1", "-timeout=15m"},
	}
	// One after the other: on two cores, what takes a core from a test that measures seconds costs more than it saves.
	r.Besides = append(r.Besides, r.Prepare(toolsOfTests...))
	s := &suite{rig: r, chosen: chosen, whole: chosen.run == ""}
	return s.runPhases(ctx, templates, program, scripts, within, atRandom(listed), restart)
}

// testRender runs the tests that need neither cluster nor Docker.
func testRender(ctx context.Context, r *rig.Rig, chosen choice) error {
	listed, err := judge.List(ctx, r.Reporter.Log(), r.Root, "./...")
	if err != nil {
		return err
	}
	program, err := ofProgram(ctx, r)
	if err != nil {
		return err
	}
	s := &suite{rig: r, chosen: chosen}
	return s.runPhases(ctx, ofTemplates(listed), program, ofScripts(listed))
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
		elsewhere := slices.ContainsFunc([]string{clusterTests, fuzzTests, restartTests, soakTests, scriptTests, chartTests}, func(folder string) bool { return within(pkg, folder) })
		if !elsewhere && len(names) > 0 {
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
func ofProgram(ctx context.Context, r *rig.Rig) (*phase, error) {
	folder := filepath.Join(r.Root, programModule)
	listed, err := judge.List(ctx, r.Reporter.Log(), folder, "./...")
	tests := judge.Want{}
	for pkg, names := range listed {
		if len(names) > 0 {
			tests[pkg] = names
		}
	}
	return &phase{name: "of the program", tests: tests, folder: folder, flags: []string{"-parallel=6", "-timeout=15m"}}, err
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
