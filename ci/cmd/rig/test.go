package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// phase is one run of the test runner.
type phase struct {
	name     string
	packages []string
	flags    []string // of go test
	format   string   // of gotestsum

	environment []string // added
	raw         []string // instead of go test: a command that prints what `go test -json` does
	folder      string   // where it runs; empty: the repository's

	counts  counts
	elapsed time.Duration
	err     error
}

const (
	clusterTests = "./tests/e2e/..."
	restartTests = "./tests/restart/..." // of what a node's restart leaves: alone and last
)

// needsCluster are the folders of the tests that do.
var needsCluster = []string{"/tests/e2e/", "/tests/fuzz/", "/tests/restart/", "/tests/soak/"}

// test runs all tests, and is only content if all of them ran and passed.
func test(ctx context.Context, r *rig.Rig) error {
	r.Reporter.Plan(2)
	r.Besides = append(r.Besides, r.Prepare("gotestsum"))
	k, err := newKube(ctx, r)
	if err != nil {
		return err
	}
	without, err := withoutCluster(ctx, r)
	if err != nil {
		return err
	}
	rendered, err := renderedFolder(r)
	if err != nil {
		return err
	}
	without.environment = []string{"OUTRIGGER_RENDERED=" + rendered}
	within := &phase{
		name:     "in the cluster",
		packages: []string{clusterTests},
		// One package at a time: the tests share two cores with the cluster and measure seconds.
		flags:       []string{"-p=1", "-count=1", "-timeout=60m"},
		format:      "testname",
		environment: without.environment, // what was rendered there is put to the API server here
	}
	fuzzing, err := fuzzPhase(ctx, r, fuzzExecutions)
	if err != nil {
		return err
	}
	phases := []*phase{without, within, fuzzing}
	if k.cluster.Node == "" {
		r.Reporter.Say("\nLeft out: %s, which restarts the node. Only a cluster of this machine is restarted, and this one is the caller's.", restartTests)
	} else {
		phases = append(phases, &phase{
			name:     "with a restart of the node",
			packages: []string{restartTests},
			flags:    []string{"-p=1", "-count=1", "-timeout=15m"},
			format:   "testname",
		})
	}
	return runPhases(ctx, r, k.cluster, phases...)
}

// renderedFolder returns a new folder for what the tests render, and removes those of earlier runs. Its name is new too:
// Go's test cache goes by the variables that a test reads, and a cached test would leave nothing there.
func renderedFolder(r *rig.Rig) (string, error) {
	folder := filepath.Join(r.Cache, "rendered")
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(folder, "")
}

// testRender runs the tests that need neither cluster nor Docker.
func testRender(ctx context.Context, r *rig.Rig) error {
	r.Reporter.Plan(1)
	without, err := withoutCluster(ctx, r)
	if err != nil {
		return err
	}
	return runPhases(ctx, r, nil, without)
}

// withoutCluster prepares the phase of all packages but the cluster's tests.
func withoutCluster(ctx context.Context, r *rig.Rig) (*phase, error) {
	if _, err := r.Tools(ctx, "helm"); err != nil {
		return nil, err
	}
	if _, err := r.BusyBox(ctx); err != nil {
		return nil, err
	}
	if _, err := r.Collector(ctx); err != nil {
		return nil, err
	}
	if _, err := r.Tools(ctx, "expand", "restic", "rclone"); err != nil {
		return nil, err
	}
	list, err := proc.Run(ctx, proc.Cmd{Args: []string{"go", "list", "./..."}, Dir: r.Root, Log: r.Reporter.Log()})
	if err != nil {
		return nil, err
	}
	p := &phase{name: "without a cluster", flags: []string{"-timeout=15m"}, format: "pkgname"}
	for _, pkg := range strings.Fields(list) {
		if !slices.ContainsFunc(needsCluster, func(folder string) bool { return strings.Contains(pkg+"/", folder) }) {
			p.packages = append(p.packages, pkg)
		}
	}
	return p, nil
}

func vet(ctx context.Context, r *rig.Rig) error {
	return r.Reporter.Step(ctx, "go vet", func(ctx context.Context, s *progress.Step) error {
		_, err := proc.Run(ctx, proc.Cmd{Args: []string{"go", "vet", "./..."}, Dir: r.Root, Log: s.Log()})
		return err
	})
}

// runPhases runs go vet and the phases, all of them even when one fails, and ends with a summary.
func runPhases(ctx context.Context, r *rig.Rig, c *rig.Cluster, phases ...*phase) error {
	runner, err := r.Tools(ctx, "gotestsum")
	if err != nil {
		return err
	}
	vetErr := vet(ctx, r)
	if errors.Is(vetErr, context.Canceled) {
		return vetErr
	}
	for _, p := range phases {
		if err := p.run(ctx, r, filepath.Join(runner, "gotestsum")); err != nil {
			return err
		}
	}
	return summarize(r, c, vetErr, phases)
}

// run runs a phase's tests. Its error is one of the run, not of the tests.
func (p *phase) run(ctx context.Context, r *rig.Rig, gotestsum string) error {
	dir := filepath.Join(r.Cache, "results")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	events := filepath.Join(dir, strings.ReplaceAll(p.name, " ", "-")+".json")
	_ = os.Remove(events)
	r.Reporter.Say("\nTests %s (go test %s); what each printed: %s", p.name, strings.Join(p.flags, " "), events)
	start := time.Now()
	args := []string{gotestsum, "--format", p.format, "--format-hide-empty-pkg", "--jsonfile", events}
	if p.raw != nil {
		args = append(append(args, "--raw-command", "--"), p.raw...)
	} else {
		args = append(append(append(args, "--"), p.flags...), p.packages...)
	}
	folder := p.folder
	if folder == "" {
		folder = r.Root
	}
	_, p.err = proc.Run(ctx, proc.Cmd{Args: args, Dir: folder, Env: p.environment, Log: r.Reporter.Log(), Stdout: os.Stdout, Stderr: os.Stderr})
	p.elapsed = time.Since(start)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var err error
	if p.counts, err = countFile(events); err != nil {
		p.err = errors.Join(p.err, err)
	}
	return nil
}

// content tells whether a phase's tests all ran and passed.
func (p *phase) content() bool {
	return p.err == nil && p.counts.passed > 0 && p.counts.failed == 0 && len(p.counts.skipped) == 0
}

func summarize(r *rig.Rig, c *rig.Cluster, vetErr error, phases []*phase) error {
	w := tabwriter.NewWriter(r.Reporter.Out(), 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "\nTests\tpassed\tfailed\tskipped\ttime\n")
	passed, failed, skipped := 0, 0, 0
	for _, p := range phases {
		if !p.content() && p.counts.failed == 0 && len(p.counts.skipped) == 0 {
			p.counts.failed = 1 // the runner itself, or it found nothing to run
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", p.name, p.counts.passed, p.counts.failed, len(p.counts.skipped), progress.Short(p.elapsed))
		passed, failed, skipped = passed+p.counts.passed, failed+p.counts.failed, skipped+len(p.counts.skipped)
	}
	if vetErr != nil {
		fmt.Fprintf(w, "go vet\t0\t1\t0\t\n")
		failed++
	}
	w.Flush()
	sayCircumstances(r, c)
	for _, p := range phases {
		sayTrouble(r, p)
	}
	line := fmt.Sprintf("%d passed, %d failed", passed, failed)
	if skipped > 0 {
		line += fmt.Sprintf(", %d skipped", skipped)
	}
	r.Reporter.Say("All in %s.\n\n%s", progress.Short(r.Reporter.Elapsed()), line)
	if failed+skipped > 0 {
		return errQuiet
	}
	return nil
}

func sayCircumstances(r *rig.Rig, c *rig.Cluster) {
	if c == nil {
		r.Reporter.Say("\nWithout a cluster.")
		return
	}
	r.Reporter.Say("\nCluster: %s, %s %s", c.Context, c.Origin, c.NodeImage)
	if c.Origin == rig.Callers {
		r.Reporter.Say("Images: those its nodes have or pull.")
	}
	for _, image := range c.Images {
		r.Reporter.Say("Image: %s", image)
	}
}

func sayTrouble(r *rig.Rig, p *phase) {
	for _, name := range p.counts.failures {
		r.Reporter.Say("FAILED: %s", name)
	}
	for _, name := range p.counts.skipped {
		r.Reporter.Say("SKIPPED, which counts as a failure: %s", name)
	}
	if p.counts.passed == 0 && p.counts.failed <= 1 {
		r.Reporter.Say("FAILED: no test ran %s: %v", p.name, p.err)
	}
}
