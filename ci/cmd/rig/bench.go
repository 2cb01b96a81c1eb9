package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/outrigger-charts/outrigger/ci/engine"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// benchCluster is the cluster that bench-demo makes and removes, beside the one that is in use.
const benchCluster = "outrigger-bench"

// jobRuns is how often the example Job is run; the median counts.
const jobRuns = 5

// benchDemo measures the demo, from nothing and again, in caches and a cluster of its own.
func benchDemo(ctx context.Context, r *rig.Rig) (err error) {
	if _, err := engine.Version(ctx); err != nil {
		return fmt.Errorf("bench-demo measures what comes after the Docker engine, and none answers (make cluster starts one): %w", err)
	}
	b, err := newBench(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.remove(ctx)) }()
	cold, err := b.timed(ctx, "make", "--no-print-directory", "demo")
	if err != nil {
		return err
	}
	warm, err := b.timed(ctx, "make", "--no-print-directory", "demo")
	if err != nil {
		return err
	}
	job, k, err := b.job(ctx)
	if err != nil {
		return err
	}
	if err := b.rig.Delete(ctx); err != nil {
		return err
	}
	create, err := b.timed(ctx, "make", "--no-print-directory", "cluster")
	if err != nil {
		return err
	}
	b.say(k.cluster, cold, warm, create, job)
	return nil
}

// bench is the environment of the measurements.
type bench struct {
	rig *rig.Rig // whose cache and cluster are the bench's
	dir string
}

func newBench(r *rig.Rig) (*bench, error) {
	dir, err := os.MkdirTemp("", "outrigger-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir}
	// The Rig reads the names too, so they are this process's as well as its children's.
	for name, value := range map[string]string{
		"OUTRIGGER_CACHE":   filepath.Join(dir, "cache"),
		"OUTRIGGER_CLUSTER": benchCluster,
		"GOCACHE":           filepath.Join(dir, "go-build"),
		"GOMODCACHE":        filepath.Join(dir, "go-mod"),
		"GOFLAGS":           strings.TrimSpace(os.Getenv("GOFLAGS") + " -modcacherw"), // or it could not be removed
	} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"KUBECONFIG", "OUTRIGGER_KUBE_CONTEXT"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	b.rig, err = rig.Open(r.Reporter.Out())
	return b, err
}

func (b *bench) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	defer b.rig.Close()
	return errors.Join(b.rig.Delete(ctx), b.rig.RemoveImages(ctx), os.RemoveAll(b.dir))
}

func (b *bench) timed(ctx context.Context, args ...string) (time.Duration, error) {
	b.rig.Reporter.Say("\n== %s", strings.Join(args, " "))
	start := time.Now()
	_, err := proc.Run(ctx, proc.Cmd{Args: args, Dir: b.rig.Root, Log: b.rig.Reporter.Log(), Stdout: os.Stdout, Stderr: os.Stderr})
	return time.Since(start), err
}

// job creates the example's Job again and again, and returns the median of the times until it is
// Complete.
func (b *bench) job(ctx context.Context) (time.Duration, *kube, error) {
	k, err := newKube(ctx, b.rig)
	if err != nil {
		return 0, nil, err
	}
	manifest, err := k.helm(ctx, "template", demoRelease, demoChart, "--namespace", demoNamespace, "--show-only", "templates/job.yaml")
	if err != nil {
		return 0, nil, err
	}
	var times []time.Duration
	for range jobRuns {
		if _, err := k.kubectlWith(ctx, manifest, "delete", "--ignore-not-found", "--wait", "--filename", "-"); err != nil {
			return 0, nil, err
		}
		start := time.Now()
		if _, err := k.kubectlWith(ctx, manifest, "create", "--filename", "-"); err != nil {
			return 0, nil, err
		}
		if _, err := k.kubectlWith(ctx, manifest, "wait", "--for=condition=Complete", "--timeout=120s", "--filename", "-"); err != nil {
			return 0, nil, err
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return times[len(times)/2], k, nil
}

func (b *bench) say(c *rig.Cluster, cold, warm, create, job time.Duration) {
	b.rig.Reporter.Say(`
Measured one after the other on this machine (%d cores, %s/%s, %s), node: %s %s.
  demo/cold-s            make demo with empty caches (Go's modules and compiled packages, this project's own), the
                         Docker engine running; with kindest/node, its pull counts only if the engine has it not
  demo/warm-s            make demo again, right after it
  demo/cluster-create-s  make cluster after the cluster was deleted, all images there
  demo/job-complete-s    the example's Job with its sidecar: from kubectl create to its being Complete, as kubectl
                         sees it, median of %d`,
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), c.Origin, c.NodeImage, jobRuns)
	for _, figure := range []struct {
		name  string
		value time.Duration
	}{
		{"cold-s", cold}, {"warm-s", warm}, {"cluster-create-s", create}, {"job-complete-s", job},
	} {
		b.rig.Reporter.Say("bench: demo/%s %.1f s", figure.name, figure.value.Seconds())
	}
}
