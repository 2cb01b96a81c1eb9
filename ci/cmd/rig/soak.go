package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// testSoak runs what takes longer than a developer waits: fuzzing, a hundred random runs of the log shipper's script and a
// hundred kills of what runs pgbouncer, two minutes without a backend and five without a database, twenty backups that are killed, ten that a sidecar
// makes, stores of each kind that fail, Kubernetes' own cases of probes and tokens that are renewed for five minutes, a backup
// of a gigabyte, and Loki; and makes the image twice.
func testSoak(ctx context.Context, r *rig.Rig, chosen choice) error {
	r.Images = slices.Concat(testimages.All, []testimages.Image{testimages.Loki})
	listed, err := judge.List(ctx, r.Reporter.Log(), r.Root, "./...")
	if err != nil {
		return err
	}
	phases, err := phasesOfSoak(r, listed)
	if err != nil {
		return err
	}
	if chosen.run == "" {
		if err := imageReproducible(ctx, r); err != nil {
			return err
		}
	}
	s := &suite{rig: r, chosen: chosen}
	return s.runPhases(ctx, phases...)
}

// phasesOfSoak are the phases of `make test-soak`. Where one has lost its tests, by another name say, that is an error.
func phasesOfSoak(r *rig.Rig, listed judge.Want) ([]*phase, error) {
	marked, err := marked(r)
	if err != nil {
		return nil, err
	}
	scripts := &phase{
		name:        "of random runs of the scripts, and first backups at once",
		tests:       below(listed, scriptTests),
		flags:       []string{"-count=1", "-parallel=4", "-timeout=60m"},
		environment: []string{"OUTRIGGER_FUZZ_RUNS=100", "OUTRIGGER_FIRST_RUNS=100"},
		prepare:     programsOfTests,
	}
	atLength := &phase{
		name:    "of what takes long, outages, a sidecar's clock, probes and tokens of 20 seconds",
		tests:   below(listed, clusterTests),
		cluster: true,
		flags:   []string{"-count=1", "-parallel=3", "-timeout=60m"},
		environment: []string{"OUTRIGGER_OUTAGE_SECONDS=120", "OUTRIGGER_SIDECAR_RUNS=10", "OUTRIGGER_TOKEN_SECONDS=300", "OUTRIGGER_TOKEN_LIFETIME=20",
			"OUTRIGGER_ALL_CASES=1", "OUTRIGGER_DATABASE_OUTAGE_SECONDS=300"},
	}
	gigabyte := &phase{
		name:        "of a backup of 1 GB that is written to",
		tests:       below(listed, clusterTests),
		cluster:     true,
		flags:       []string{"-count=1", "-timeout=15m"},
		environment: []string{"OUTRIGGER_BACKUP_ROWS=2400000"},
	}
	for _, some := range []struct {
		of       *phase
		patterns []string
	}{
		{scripts, []string{"^TestRandom", "^TestFirstRuns"}},
		{atLength, []string{"^TestWhileTheBackendIsDown", "^TestASidecarBacksUpOnTheMinute",
			"^TestWithTokensOfSeconds", "^TestTheAppOutlivesItsDatabase", "^TestKubernetesOwnSidecarCases", "^(" + strings.Join(marked, "|") + ")$"}},
		{gigabyte, []string{"^TestABackupOfADatabaseThatIsWrittenTo"}},
	} {
		unmatched, err := some.of.narrow(some.patterns...)
		if err != nil {
			return nil, err
		}
		if len(unmatched) > 0 {
			return nil, fmt.Errorf("tests %s: none matches %q", some.of.name, unmatched)
		}
	}
	loki := &phase{name: "with Loki", tests: below(listed, soakTests), cluster: true, flags: []string{"-count=1", "-timeout=15m"}}
	return []*phase{scripts, atLength, gigabyte, loki, fuzzing(r, listed)}, nil
}
