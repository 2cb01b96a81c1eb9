// Package pgbouncer runs pgbouncer with a password that changes: each new one is proven by a login of its own at the
// server before the pgbouncer that the app uses gets it. A password that is refused takes the place of none that works.
package pgbouncer

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/health"
	"github.com/outrigger-charts/outrigger/library/sidecar/process"
	"github.com/outrigger-charts/outrigger/library/sidecar/scrape"
)

// verb is the command's name and its part of the document.
const verb = "pgbouncer"

// lingerVariable is how many seconds pgbouncer goes on after SIGTERM while clients come: 0 where it is not set.
const lingerVariable = "LINGER_SECONDS"

// endedError says that pgbouncer ended by itself.
type endedError struct{ code int }

func (e endedError) Error() string { return fmt.Sprintf("pgbouncer ended with exit code %d", e.code) }

// ExitCode is pgbouncer's, but never 0: it has no reason to end.
func (e endedError) ExitCode() int { return max(e.code, 1) }

// Command returns `outrigger pgbouncer`.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   verb,
		Short: "Run pgbouncer with a password that changes",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return run(command.Context())
		},
	}
}

func run(ctx context.Context) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var config document.PgBouncer
	if err := document.FromEnvironment(verb, &config); err != nil {
		return err
	}
	if err := check(config); err != nil {
		return fmt.Errorf("%s: /%s: %w", document.Variable, verb, err)
	}
	linger, err := lingerTime()
	if err != nil {
		return err
	}
	at, err := newPlace(config)
	if err != nil {
		return err
	}
	process.Reap(ctx)
	a, err := newAmbassador(config, at, linger, event.New(os.Stdout, "ambassador", config.Name))
	if err != nil {
		return err
	}
	if err := health.Serve(ctx, at.health(), a.view.answers()); err != nil {
		return err
	}
	if config.Metrics != nil {
		registry := prometheus.NewRegistry()
		registry.MustRegister(collector{a.console})
		if err := scrape.Serve(ctx, config.Metrics.Port, registry); err != nil {
			return err
		}
	}
	return a.run(ctx, stop)
}

func lingerTime() (time.Duration, error) {
	text := os.Getenv(lingerVariable)
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 0 {
		return 0, fmt.Errorf("%s is %q; it is a number of seconds", lingerVariable, text)
	}
	return document.Seconds(seconds).Duration(), nil
}
