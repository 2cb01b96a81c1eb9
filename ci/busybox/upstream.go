package busybox

import (
	"context"
	"io"
	"time"

	"github.com/outrigger-charts/outrigger/ci/proc"
)

// fromUpstream copies the busybox of the upstream image to path, by way of the Docker engine.
func fromUpstream(ctx context.Context, log io.Writer, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	id, err := proc.Run(ctx, proc.Cmd{Log: log, Args: []string{"docker", "create", "--quiet", "busybox:" + Tag}})
	if err != nil {
		return err
	}
	defer func() {
		_, _ = proc.Output(context.WithoutCancel(ctx), "docker", "rm", "--force", id)
	}()
	_, err = proc.Run(ctx, proc.Cmd{Log: log, Args: []string{"docker", "cp", "--follow-link", id + ":/bin/busybox", path}})
	return err
}
