package main

import (
	"context"
	"strconv"

	"github.com/outrigger-charts/outrigger/ci/engine"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// clean removes the cluster and the images, and says what it leaves.
func clean(ctx context.Context, r *rig.Rig) error {
	r.Reporter.Plan(3)
	engineLeft := "no Docker engine answers: what it keeps of the cluster and the node images could not be removed"
	if version, err := engine.Version(ctx); err == nil {
		engineLeft = version + ", with what is not this project's"
		if pid := engine.ByHand(); pid > 0 {
			engineLeft += ", as it was started here (to stop it: kill " + strconv.Itoa(pid) + ")"
		}
		if err := r.Reporter.Step(ctx, "Remove cluster "+rig.Name(), func(ctx context.Context, _ *progress.Step) error {
			return r.Delete(ctx)
		}); err != nil {
			return err
		}
		if err := r.Reporter.Step(ctx, "Remove node images", func(ctx context.Context, _ *progress.Step) error {
			return r.RemoveImages(ctx)
		}); err != nil {
			return err
		}
	}
	if err := r.Reporter.Step(ctx, "Remove images in "+r.Cache, func(ctx context.Context, _ *progress.Step) error {
		return r.RemoveArchives(ctx)
	}); err != nil {
		return err
	}
	r.Reporter.Say(`Left:
  %s: compiled tools and logs (to remove them: rm -r %[1]s)
  Go's caches of modules and compiled packages (to remove them: go clean -cache -modcache)
  %s`, r.Cache, engineLeft)
	return nil
}
