package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/ci/testimages"
)

const (
	fuzzTests = "./tests/fuzz"
	soakTests = "./tests/soak" // of images that take minutes to build
)

// Executions take about 30 seconds and 10 minutes on two cores. A number and not a time: with a time Go 1.26 reports the
// end as a failure now and then (golang/go#75804).
const (
	fuzzExecutions     = 400
	fuzzSoakExecutions = 8000
)

// fuzzPhase prepares the phase that fuzzes. The binary is built without the instrumentation of `go test
// -fuzz`: what is fuzzed are templates, of which the coverage of Go code says nothing, and with it a run of a second
// takes half a minute.
func fuzzPhase(ctx context.Context, r *rig.Rig, executions int) (*phase, error) {
	binary := filepath.Join(r.Root, ".build", "fuzz.test")
	err := r.Reporter.Step(ctx, "Compiling the fuzzer", func(ctx context.Context, s *progress.Step) error {
		_, err := proc.Run(ctx, proc.Cmd{Args: []string{"go", "test", "-c", "-o", binary, fuzzTests}, Dir: r.Root, Log: s.Log()})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &phase{
		name:   "fuzzing",
		format: "testname",
		raw: []string{"go", "tool", "test2json", "-t", "-p", fuzzTests, binary, "-test.v=test2json", "-test.paniconexit0",
			"-test.run=^$", "-test.fuzz=^Fuzz", fmt.Sprintf("-test.fuzztime=%dx", executions),
			"-test.fuzzcachedir=" + filepath.Join(r.Root, ".build", "fuzz"), "-test.timeout=60m"},
		folder: filepath.Join(r.Root, fuzzTests),
	}, nil
}

// testSoak runs what takes longer than a developer waits: fuzzing, a hundred random runs of the log shipper's script, two
// minutes without a backend beside twenty backups that are killed, ten that a sidecar makes and tokens that are renewed for
// five minutes, a backup of a gigabyte, and Loki.
func testSoak(ctx context.Context, r *rig.Rig) error {
	r.Reporter.Plan(2)
	r.Images = slices.Concat(testimages.All, []testimages.Image{testimages.Loki})
	k, err := newKube(ctx, r)
	if err != nil {
		return err
	}
	if _, err := r.BusyBox(ctx); err != nil {
		return err
	}
	fuzzing, err := fuzzPhase(ctx, r, fuzzSoakExecutions)
	if err != nil {
		return err
	}
	scripts := &phase{
		name:        "random runs of the scripts",
		packages:    []string{"./tests/scripts"},
		flags:       []string{"-count=1", "-parallel=4", "-timeout=60m", "-run=^TestRandom"},
		format:      "testname",
		environment: []string{"OUTRIGGER_FUZZ_RUNS=100"},
	}
	atLength := &phase{
		name:     "outage, killed backups, a sidecar's clock and tokens of 20 seconds",
		packages: []string{clusterTests},
		flags: []string{"-count=1", "-parallel=3", "-timeout=25m",
			"-run=^(TestWhileTheBackendIsDown|TestABackupThatIsKilled|TestASidecarBacksUpOnTheMinute|TestTokensThatLiveForSeconds|TestATokenIsRenewedBefore|TestADjangoApp)"},
		format:      "testname",
		environment: []string{"OUTRIGGER_OUTAGE_SECONDS=120", "OUTRIGGER_BACKUP_KILLS=20", "OUTRIGGER_SIDECAR_RUNS=10", "OUTRIGGER_TOKEN_SECONDS=300", "OUTRIGGER_TOKEN_LIFETIME=20"},
	}
	gigabyte := &phase{
		name:        "a backup of 1 GB that is written to",
		packages:    []string{clusterTests},
		flags:       []string{"-count=1", "-timeout=15m", "-run=^TestABackupOfADatabaseThatIsWrittenTo"},
		format:      "testname",
		environment: []string{"OUTRIGGER_BACKUP_ROWS=2400000"},
	}
	loki := &phase{
		name:     "with Loki",
		packages: []string{soakTests},
		flags:    []string{"-count=1", "-timeout=15m"},
		format:   "testname",
	}
	return runPhases(ctx, r, k.cluster, scripts, atLength, gigabyte, loki, fuzzing)
}
