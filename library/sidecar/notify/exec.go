package notify

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/outrigger-charts/outrigger/library/sidecar/process"
)

// commandLimit is how long a command may take.
const commandLimit = time.Minute

// shown is how much of the end of what a command said an error has.
const shown = 1000

func run(ctx context.Context, command []string, news News) error {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	output, err := process.RunIn(ctx, news.Environment, 0, command...)
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, process.ErrTooLong):
		return nil // nobody reads what it prints
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		err = fmt.Errorf("failed with exit code %d", exit.ExitCode())
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("did not end within %v s", commandLimit.Seconds())
	default:
		err = fmt.Errorf("failed: %w", err)
	}
	said := string(output.Stderr)
	said = news.Hide(said[max(0, len(said)-4*shown):])
	return fmt.Errorf("the command that tells of %s %w: %s", news.Of, err, line(said[max(0, len(said)-shown):]))
}
