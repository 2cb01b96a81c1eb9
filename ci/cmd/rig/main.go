// Command rig is what the Makefile's targets run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"

	"github.com/outrigger-charts/outrigger/ci/rig"
)

// verbs are what the command can do, by name.
var verbs = map[string]func(context.Context, *rig.Rig) error{
	"cluster":      ensureCluster,
	"demo":         demo,
	"test":         test,
	"test-render":  testRender,
	"test-soak":    testSoak,
	"lint":         lint,
	"clean":        clean,
	"bench-demo":   benchDemo,
	"bench-render": benchRender,
	"bench-logs":   benchLogs,
	"bench-backup": benchInCluster("Back a database up and restore it, in turns", "./tests/bench/backups", "BenchmarkBackup"),
	"bench-tokens": benchInCluster("Renew tokens, and log in with them", "./tests/bench/tokens", "BenchmarkTokens"),
}

// errQuiet is a failure that was told already.
var errQuiet = errors.New("")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if errors.Is(err, context.Canceled) {
			fmt.Fprintln(os.Stderr, "Interrupted. What was finished is kept; the next run goes on from there.")
			os.Exit(130)
		}
		if !errors.Is(err, errQuiet) {
			fmt.Fprintln(os.Stderr, "rig:", err)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 || verbs[args[0]] == nil {
		var names []string
		for name := range verbs {
			names = append(names, name)
		}
		sort.Strings(names)
		return fmt.Errorf("usage: rig %s", strings.Join(names, "|"))
	}
	r, err := rig.Open(os.Stdout)
	if err != nil {
		return err
	}
	defer r.Close()
	if path := r.Reporter.LogPath(); path != "" {
		r.Reporter.Say("What the commands print goes to %s", path)
	}
	return verbs[args[0]](ctx, r)
}

func ensureCluster(ctx context.Context, r *rig.Rig) error {
	c, err := r.Ensure(ctx)
	if err != nil {
		return err
	}
	r.Reporter.Say("Cluster: %s, %s. To look at it:\n  export KUBECONFIG=%s", c.Context, c.Origin, c.Kubeconfig)
	return nil
}
