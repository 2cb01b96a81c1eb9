// Package token keeps a short-lived credential in a file: it obtains one, writes it where the app or its proxy reads it, and
// renews it in time.
package token

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/files"
	"github.com/outrigger-charts/outrigger/library/sidecar/health"
	"github.com/outrigger-charts/outrigger/library/sidecar/httpclient"
	"github.com/outrigger-charts/outrigger/library/sidecar/notify"
	"github.com/outrigger-charts/outrigger/library/sidecar/process"
	"github.com/outrigger-charts/outrigger/library/sidecar/scrape"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/format"
	"github.com/outrigger-charts/outrigger/library/sidecar/token/provider/command"
	"github.com/outrigger-charts/outrigger/library/sidecar/trust"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

const (
	// fileVariable tells commands that notify or explain the file's path.
	fileVariable = "OUTRIGGER_FILE"
	// defaultLook is how often, between renewals, it looks at the clock, at the file and at what provers say.
	defaultLook = 30 * time.Second
	// obtainLimit is how long a provider may take that has no limit of its own.
	obtainLimit = 2 * time.Minute
)

// Command is `outrigger token`.
func Command() *cobra.Command {
	look := defaultLook
	command := &cobra.Command{
		Use:   "token",
		Short: "Keep a short-lived credential in a file: obtain it, write it, renew it in time",
		Long: `Obtains a credential, writes it to a file, and renews it after two thirds of its life, until SIGTERM ends it.
A credential that is not due when it starts is kept. What happens is told in lines of JSON on standard output.

What it does is in the variable ` + document.Variable + `, which the chart writes. ` + health.StateVariable + ` names a folder of its own for what
it has to remember (` + health.DefaultStateDirectory + `).

Exit codes: 0 ended by SIGTERM; 2 the configuration is wrong.`,
		Example: `  ` + health.StateVariable + `=/tmp/token ` + document.Variable + `='{"version": "` + version.Minor(version.Version) + `", "token": {"name": "db", "ttlSeconds": 60,
    "file": {"path": "/tmp/password", "format": "raw", "mode": "0600"},
    "exec": {"command": ["date"], "output": "raw"}}}' outrigger token`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return run(ctx, command.OutOrStdout(), look)
		},
	}
	command.Flags().DurationVar(&look, "look", look, "how often to look at the clock, the file and the provers between renewals")
	return command
}

// run keeps the credential of the document in the environment until the context ends.
func run(ctx context.Context, out io.Writer, look time.Duration) error {
	var token document.Token
	if err := document.FromEnvironment("token", &token); err != nil {
		return err
	}
	directory := health.StateDirectory()
	r, err := newRefresher(token, directory, out, machine{systemClock{}, rand.Float64, files.Replace})
	if err != nil {
		return err
	}
	r.look = look
	if err := health.Serve(ctx, health.SocketIn(directory), answersOf(r)); err != nil {
		return document.ConfigurationError{Err: fmt.Errorf("probes cannot be answered: %w", err)}
	}
	if token.Metrics != nil {
		if err := scrape.Serve(ctx, token.Metrics.Port, r.metrics.registry); err != nil {
			return document.ConfigurationError{Err: fmt.Errorf("metrics cannot be served: %w", err)}
		}
	}
	process.Reap(ctx)
	r.run(ctx)
	return nil
}

// machine is what a refresher has of the machine that it runs on.
type machine struct {
	clock   clock
	random  func() float64 // from 0 to 1
	replace replace
}

// newRefresher makes a refresher of a document, with its state in a directory.
func newRefresher(token document.Token, directory string, out io.Writer, on machine) (*refresher, error) {
	if err := check(&token); err != nil {
		return nil, err
	}
	mode, err := fileMode(token.File.Mode)
	if err != nil {
		return nil, wrong("/file/mode", "%v", err)
	}
	written, err := format.Named(token.File.Format, token.File.Template)
	if err != nil {
		return nil, wrong("/file/format", "%v", err)
	}
	directory = filepath.Join(directory, token.Name)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, document.ConfigurationError{Err: err}
	}
	r := &refresher{
		token: token, mode: mode, format: written, look: defaultLook, obtainLimit: obtainLimit, machine: on,
		log: event.New(out, "refresher", token.Name), metrics: newMetrics(token),
		memory:     remember(filepath.Join(directory, "state.json"), on.replace),
		complaints: map[string]complaint{}, heard: map[string]heard{},
	}
	r.report.set("starting", r)
	r.metrics.watch(r)
	return r, r.connect()
}

// connect makes what a refresher asks and whom it tells.
func (r *refresher) connect() (err error) {
	file := fileVariable + "=" + r.token.File.Path
	if r.token.Exec != nil {
		r.obtainLimit = max(obtainLimit, 2*r.token.Exec.Timeout.Duration())
	}
	roots, err := trust.Roots(r.token.Trust)
	if err != nil {
		return wrong("/trust", "%v", err)
	}
	if r.provider, err = provider(r.token, httpclient.New(roots), command.Options{
		Environment:        process.EnvironmentWithSecrets(),
		ExplainEnvironment: append(process.EnvironmentWithSecrets(), file),
		Now:                r.clock.Now,
		Hide:               r.hide,
		Warn:               func(message string) { r.log.Warn(message, event.Is("command.said")) },
	}); err != nil {
		return document.ConfigurationError{Err: err}
	}
	r.listeners, err = notify.Listeners(r.token.Notify, notify.News{
		Of: "the new credential", Environment: append(process.Environment(), file), Hide: func(text string) string { return r.hide(text) }, Authorities: roots,
	})
	if err != nil {
		return document.ConfigurationError{Err: fmt.Errorf("%s: /token/notify%w", document.Variable, err)}
	}
	return nil
}
