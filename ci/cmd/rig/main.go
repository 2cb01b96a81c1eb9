// Command rig is what the Makefile's targets run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/outrigger-charts/outrigger/ci/rig"
)

// testVerbs are those that run tests, of which some can be chosen.
var testVerbs = map[string]func(context.Context, *rig.Rig, choice) error{
	"test":        test,
	"test-render": testRender,
	"test-soak":   testSoak,
}

// verbs are what else the command can do.
var verbs = map[string]func(context.Context, *rig.Rig) error{
	"cluster":            ensureCluster,
	"demo":               demo,
	"image":              makeImage,
	"push":               pushImage,
	"image-reproducible": imageReproducible,
	"lint":               lint,
	"clean":              clean,
	"bench-demo":         benchDemo,
	"bench-render":       benchRender,
	"bench-logs":         benchLogs,
	"bench-backup":       benchInCluster("Back a database up and restore it, in turns", "./tests/bench/backups", "BenchmarkBackup"),
	"bench-tokens":       benchInCluster("Renew tokens, and log in with them", "./tests/bench/tokens", "BenchmarkTokens"),
}

// errQuiet is a failure that was told already.
var errQuiet = errors.New("")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(exitCode(run(ctx, os.Args[1:]), os.Stderr))
}

// exitCode tells an error to a person and to whatever called this command.
func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "Interrupted. What was finished is kept; the next run goes on from there.")
		return 130
	case !errors.Is(err, errQuiet):
		fmt.Fprintln(stderr, "rig:", err)
	}
	return 1
}

func run(ctx context.Context, args []string) error {
	usage := fmt.Errorf("usage: rig %s, or rig %s [-run REGEXP] [-strict]",
		strings.Join(slices.Sorted(maps.Keys(verbs)), "|"), strings.Join(slices.Sorted(maps.Keys(testVerbs)), "|"))
	if len(args) == 0 {
		return usage
	}
	var chosen choice
	flags := flag.NewFlagSet("rig", flag.ContinueOnError)
	flags.StringVar(&chosen.run, "run", "", "only the tests whose names match, and behind a slash their subtests")
	flags.BoolVar(&chosen.strict, "strict", false, "a test that passes only when it runs again has failed")
	err := flags.Parse(args[1:])
	verb, testVerb := verbs[args[0]], testVerbs[args[0]]
	if err != nil || flags.NArg() > 0 || verb == nil && testVerb == nil || verb != nil && flags.NFlag() > 0 {
		return usage
	}
	r, err := rig.Open(os.Stdout)
	if err != nil {
		return err
	}
	defer r.Close()
	if path := r.Reporter.LogPath(); path != "" {
		r.Reporter.Say("What the commands print goes to %s", path)
	}
	if testVerb != nil {
		return testVerb(ctx, r, chosen)
	}
	return verb(ctx, r)
}

func ensureCluster(ctx context.Context, r *rig.Rig) error {
	c, err := r.Ensure(ctx)
	if err != nil {
		return err
	}
	r.Reporter.Say("Cluster: %s, %s. To look at it:\n  export KUBECONFIG=%s", c.Context, c.Origin, c.Kubeconfig)
	return nil
}
