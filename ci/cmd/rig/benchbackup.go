package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// benchBackup measures a backup of a database in the cluster, beside its dump alone and what one might do instead.
func benchBackup(ctx context.Context, r *rig.Rig) error {
	r.Reporter.Plan(1)
	if _, err := newKube(ctx, r); err != nil {
		return err
	}
	var printed string
	if err := r.Reporter.Step(ctx, "Back a database up and restore it, in turns", func(ctx context.Context, s *progress.Step) (err error) {
		printed, err = proc.Run(ctx, proc.Cmd{
			Args: []string{"go", "test", "./tests/bench/backups", "-run", "^$", "-bench", "^BenchmarkBackup$", "-benchtime", "1x", "-timeout", "40m"},
			Dir:  r.Root, Log: s.Log(),
		})
		return err
	}); err != nil {
		return err
	}
	begin, end := strings.Index(printed, "| A database"), strings.Index(printed, "\nend of the report\n")
	if begin < 0 || end < begin {
		return fmt.Errorf("the benchmark did not measure everything; it printed:\n%s", printed)
	}
	r.Reporter.Say("\n%s", printed[begin:end])
	return nil
}
