// Command outrigger is what runs in the sidecars that the chart makes. Each verb is one thing that a container does; what it is
// to do in particular is in its document, the variable OUTRIGGER_CONFIG, which the chart writes.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // public authorities, where an image has none
	"golang.org/x/sys/unix"

	_ "time/tzdata" // time zones, likewise

	"github.com/outrigger-charts/outrigger/library/sidecar/event"
	"github.com/outrigger-charts/outrigger/library/sidecar/install"
	"github.com/outrigger-charts/outrigger/library/sidecar/pgbouncer"
	"github.com/outrigger-charts/outrigger/library/sidecar/seed"
	"github.com/outrigger-charts/outrigger/library/sidecar/status"
	"github.com/outrigger-charts/outrigger/library/sidecar/token"
	"github.com/outrigger-charts/outrigger/library/sidecar/version"
)

func main() {
	// A core, of this program or of what it starts, would have credentials.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		event.New(os.Stdout).Error("cores cannot be forbidden: "+err.Error(), event.Is("program.failed"))
		os.Exit(1)
	}
	limitMemory(memlimit.FromCgroup)
	os.Exit(run(program(), os.Stdout, os.Stderr))
}

// limitMemory lets GOMEMLIMIT follow the container's limit, unless the environment has one. Where there is none, Go goes on as it
// would.
func limitMemory(limit memlimit.Provider) {
	_, _ = memlimit.SetGoMemLimitWithOpts(memlimit.WithRatio(0.8), memlimit.WithProvider(limit))
}

// run runs a verb, and returns the exit code. Why a verb failed is an event on standard output, program.failed. What only a
// person causes at a terminal, a wrong call or a status that nobody gives, is a text on standard error.
func run(root *cobra.Command, out, terminal io.Writer) int {
	called := false
	root.PersistentPreRun = func(*cobra.Command, []string) { called = true }
	verb, err := root.ExecuteC()
	switch {
	case err == nil:
		return 0
	case !called:
		fmt.Fprintln(terminal, "outrigger:", err)
		return wrongCall
	case verb.Name() == status.Verb:
		fmt.Fprintln(terminal, "outrigger:", err)
	default:
		event.New(out, "verb", verb.Name()).Error(err.Error(), event.Is("program.failed"))
	}
	return exitCode(err)
}

// wrongCall is the exit code of a call with flags, arguments or a verb that do not exist, as it is of a wrong document.
const wrongCall = 2

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
