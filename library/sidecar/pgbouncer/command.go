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
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
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
		Long: `Runs pgbouncer with the password that a file has. Whenever the file is replaced, the new password is proven by a login
of its own at the server before pgbouncer gets it. SIGTERM ends it. What happens is told in lines of JSON on standard output,
and what pgbouncer says stands between them.

What it does is in the variable ` + document.Variable + `, which the chart writes. ` + health.StateVariable + ` names a folder of its own for what
it makes (` + health.DefaultStateDirectory + `), and ` + lingerVariable + ` is how many seconds it goes on after SIGTERM while clients come (0).

Exit codes: 0 ended by SIGTERM; 2 the configuration is wrong; pgbouncer's own, or 1 where that is 0, when pgbouncer ended by itself;
1 something else failed.`,
		Example: `  echo secret >/tmp/password
  ` + health.StateVariable + `=/tmp/pgbouncer ` + document.Variable + `='{"version": "` + version.Minor(version.Version) + `", "pgbouncer": {"name": "db",
    "listen": {"port": 6432}, "user": "shop", "passwordFile": "/tmp/password", "proofDatabase": "shop",
    "databases": {"shop": {"host": "localhost", "port": 5432, "database": "shop"}},
    "settings": {"server_tls_sslmode": "prefer"}}}' outrigger pgbouncer`,
		Args: cobra.NoArgs,
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
		return document.ConfigurationError{Err: fmt.Errorf("%s: /%s: %w", document.Variable, verb, err)}
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
		return 0, document.ConfigurationError{Err: fmt.Errorf("%s is %q; it is a number of seconds", lingerVariable, text)}
	}
	return document.Seconds(seconds).Duration(), nil
}
