package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// benchInCluster returns a verb that runs the benchmark of a folder in the cluster, and prints its report: a table, figures,
// and a line that says that nothing is missing.
func benchInCluster(step, folder, benchmark string) func(ctx context.Context, r *rig.Rig) error {
	return func(ctx context.Context, r *rig.Rig) error {
		r.Reporter.Plan(1)
		if _, err := newKube(ctx, r); err != nil {
			return err
		}
		var printed string
		if err := r.Reporter.Step(ctx, step, func(ctx context.Context, s *progress.Step) (err error) {
			printed, err = proc.Run(ctx, proc.Cmd{
				Args: []string{"go", "test", folder, "-run", "^$", "-bench", "^" + benchmark + "$", "-benchtime", "1x", "-timeout", "40m"},
				Dir:  r.Root, Log: s.Log(),
			})
			return err
		}); err != nil {
			return err
		}
		begin, end := strings.Index(printed, "\n| "), strings.Index(printed, "\nend of the report\n")
		if begin < 0 || end < begin {
			return fmt.Errorf("the benchmark did not measure everything; it printed:\n%s", printed)
		}
		r.Reporter.Say("%s", printed[begin:end])
		return nil
	}
}
