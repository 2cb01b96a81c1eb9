// Package engine finds the Docker engine, and on a machine that has none installs and starts one. An
// engine that answers is used as it is: none of its settings are touched.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/proc"
)

// Log is where Ensure says what it does: a progress step is one.
type Log interface {
	Is(format string, args ...any)
	Result(format string, args ...any)
	Log() io.Writer
}

// Wrapper builds the command runc-within-bounds at a path. It is only called where an engine is started
// on a host whose capabilities are bounded.
type Wrapper func(ctx context.Context, path string) error

// Ensure sees to it that a Docker engine answers.
func Ensure(ctx context.Context, wrapper Wrapper, log Log) error {
	version, err := Version(ctx)
	if err == nil {
		log.Result("%s answers", version)
		return nil
	}
	if os.Geteuid() != 0 {
		return noEngine(err)
	}
	if err := install(ctx, log); err != nil {
		return err
	}
	if runsSystemd() {
		log.Is("starting docker.service")
		_, err = proc.Run(ctx, proc.Cmd{Args: []string{"systemctl", "start", "docker"}, Log: log.Log()})
	} else {
		log.Is("starting dockerd")
		err = startByHand(ctx, wrapper, log)
	}
	if err != nil {
		return fmt.Errorf("starting the Docker engine: %w", err)
	}
	version, err = awaitAnswer(ctx, 60*time.Second, nil)
	if err != nil {
		return fmt.Errorf("the Docker engine was started but does not answer: %w", err)
	}
	log.Result("%s started", version)
	return nil
}

// Version asks the engine for its version. It fails within seconds if there is none.
func Version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	v, err := proc.Output(ctx, "docker", "version", "--format", "{{.Server.Version}}")
	if err != nil {
		return "", err
	}
	return "Docker " + v, nil
}

// noEngine is what a user without root reads: what is missing, and the commands that mend it.
func noEngine(cause error) error {
	what := "no Docker engine answers"
	if errors.Is(cause, exec.ErrNotFound) {
		what = "Docker is not installed"
	}
	if strings.Contains(proc.Printed(cause), "permission denied") {
		return fmt.Errorf(`the Docker engine refuses this user. Either of these mends it:
  sudo usermod -aG docker $USER    # then log in again
  run the command as root`)
	}
	return fmt.Errorf(`%s, and only root can install and start one. Either of these mends it:
  sudo apt-get install docker.io && sudo usermod -aG docker $USER    # then log in again
  run the command as root on Debian or Ubuntu: it installs and starts Docker itself`, what)
}

func install(ctx context.Context, log Log) error {
	if _, err := exec.LookPath("dockerd"); err == nil {
		return nil
	}
	log.Is("installing docker.io")
	if err := debian.Install(ctx, log.Log(), "docker.io", "iptables", "ca-certificates"); err != nil {
		return err
	}
	// Since Debian 13 the client is a package of its own, which docker.io only recommends.
	return debian.EnsureProgram(ctx, log.Log(), "docker", "docker-cli")
}

func runsSystemd() bool {
	// What sd_booted(3) looks at.
	info, err := os.Stat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// awaitAnswer asks until the engine answers, or died says that it never will.
func awaitAnswer(ctx context.Context, limit time.Duration, died func() error) (string, error) {
	for end := time.Now().Add(limit); ; {
		version, err := Version(ctx)
		if err == nil {
			return version, nil
		}
		if died != nil {
			if err := died(); err != nil {
				return "", err
			}
		}
		if time.Now().After(end) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}
