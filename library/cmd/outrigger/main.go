// Command outrigger is what runs in the sidecars that the chart makes. Each verb is one thing that a container does; what it is
// to do in particular is in its document, the variable OUTRIGGER_CONFIG, which the chart writes.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // public authorities, where an image has none

	_ "time/tzdata" // time zones, likewise

	"github.com/outrigger-charts/outrigger/library/sidecar/install"
	"github.com/outrigger-charts/outrigger/library/sidecar/pgbouncer"
	"github.com/outrigger-charts/outrigger/library/sidecar/seed"
	"github.com/outrigger-charts/outrigger/library/sidecar/status"
	"github.com/outrigger-charts/outrigger/library/sidecar/token"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

func main() {
	// GOMEMLIMIT follows the container's limit. Where there is none, Go goes on as it would.
	_, _ = memlimit.SetGoMemLimitWithOpts(memlimit.WithRatio(0.8), memlimit.WithProvider(memlimit.FromCgroup))
	if err := program().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "outrigger:", err)
		os.Exit(exitCode(err))
	}
}

// program is the command with all its verbs.
func program() *cobra.Command {
	root := &cobra.Command{
		Use:           "outrigger",
		Short:         "What runs in the sidecars of charts that use the library outrigger",
		Version:       version.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		install.Command(),
		pgbouncer.Command(),
		seed.Command(),
		status.Command(),
		token.Command(),
	)
	return root
}

// exitCode is 1, or what an error says.
func exitCode(err error) int {
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return 1
}
