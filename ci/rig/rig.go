// Package rig gives tests what they run against: a Kubernetes cluster, the tools by their pinned
// versions, and the busybox and the collector that the library's sidecars run. It builds and keeps what
// is missing, and uses again what an earlier run built.
package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/busybox"
	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rsyslog"
	"github.com/outrigger-charts/outrigger/ci/testimages"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

// module is the first line of the repository's go.mod, by which its root is known.
const module = "module github.com/outrigger-charts/outrigger\n"

// Rig is what one run works with. Open makes it; close it.
type Rig struct {
	Root     string // the repository
	Cache    string // the cache directory
	Builder  tools.Builder
	Reporter *progress.Reporter
	// Images are those that the cluster's nodes have: all of the tests' unless a caller needs fewer, as some take minutes
	// to build.
	Images []testimages.Image
	// Besides is what Ensure does at the same time, where it makes a cluster: what the caller needs anyway, to fill the
	// time in which Docker is installed and the cluster starts.
	Besides []func(context.Context) error
}

// Open returns a Rig that tells its progress to out. The working directory must be in the repository.
func Open(out io.Writer) (*Rig, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	dir, err := cache.Dir()
	if err != nil {
		return nil, err
	}
	return &Rig{
		Root:     root,
		Cache:    dir,
		Builder:  tools.Builder{Modules: filepath.Join(root, "ci/modules"), Cache: dir},
		Reporter: progress.New(out, dir),
		Images:   testimages.All,
	}, nil
}

// Close ends what Open began.
func (r *Rig) Close() { r.Reporter.Close() }

// Root returns the repository's root, which is the working directory or above it.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(content), module) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in the repository of %s", start, strings.TrimSpace(module))
		}
	}
}

// locked runs f while no other run works at the cluster.
func (r *Rig) locked(ctx context.Context, f func() error) error {
	unlock, err := cache.Lock(ctx, r.Cache, r.Reporter.Out())
	if err != nil {
		return err
	}
	defer unlock()
	return f()
}

// with opens a Rig for one call.
func with(out io.Writer, f func(*Rig) error) error {
	r, err := Open(out)
	if err != nil {
		return err
	}
	defer r.Close()
	return f(r)
}

// Ensure returns a usable cluster, and says on out what it does. In this order it is
//
//   - the cluster that KUBECONFIG or OUTRIGGER_KUBE_CONTEXT names, if one of them is set;
//   - a kind cluster of kindest/node, if the Docker engine has that image or can pull it;
//   - a kind cluster of a node image that is built on this machine, which takes some ten minutes once.
//
// A kind cluster stays for the next call. The images of the tests are on its nodes, and more where they are named.
func Ensure(ctx context.Context, out io.Writer, more ...testimages.Image) (cluster *Cluster, err error) {
	err = with(out, func(r *Rig) error {
		r.Images = slices.Concat(r.Images, more)
		cluster, err = r.Ensure(ctx)
		return err
	})
	return cluster, err
}

// Ensure is the function Ensure for a Rig that is open.
func (r *Rig) Ensure(ctx context.Context) (cluster *Cluster, err error) {
	err = r.locked(ctx, func() error {
		cluster, err = r.ensure(ctx)
		return err
	})
	return cluster, err
}

// Tools returns a directory that holds programs built from the modules below ci/modules, at the
// versions pinned there: those named, or helm and kubectl if none is. Known are helm, kubectl, ct,
// staticcheck, otelcol-k8s, restic, rclone, versitygw, expand and validate.
func Tools(ctx context.Context, out io.Writer, names ...string) (dir string, err error) {
	err = with(out, func(r *Rig) error {
		dir, err = r.Tools(ctx, names...)
		return err
	})
	return dir, err
}

// BusyBox returns the path of a busybox of the version that the library's default image has, to run
// the library's scripts with on this machine: OUTRIGGER_BUSYBOX, such as upstream's own, if that is set.
func BusyBox(ctx context.Context, out io.Writer) (path string, err error) {
	if path = os.Getenv("OUTRIGGER_BUSYBOX"); path != "" {
		return path, nil
	}
	err = with(out, func(r *Rig) error {
		path, err = r.BusyBox(ctx)
		return err
	})
	return path, err
}

// Databases returns the path of a folder with the servers of databases and their tools, as Debian's packages have them.
func Databases(ctx context.Context, out io.Writer) (path string, err error) {
	err = with(out, func(r *Rig) error {
		path, err = testimages.DatabasesRoot(ctx, testimages.Env{Root: r.Root, Cache: r.Cache, Log: r.Reporter.Log()})
		return err
	})
	return path, err
}

// DynamicBusyBox returns the path of a folder with a busybox that is linked dynamically, and its libraries, as Debian's
// packages have them: the library refuses to copy such a one.
func DynamicBusyBox(ctx context.Context, out io.Writer) (path string, err error) {
	err = with(out, func(r *Rig) error {
		path, err = testimages.DynamicBusyBoxRoot(ctx, testimages.Env{Root: r.Root, Cache: r.Cache, Log: r.Reporter.Log()})
		return err
	})
	return path, err
}

// Collector returns the path of the OpenTelemetry Collector that is in the tests' stand-in for its image,
// to check configurations and run them on this machine.
func Collector(ctx context.Context, out io.Writer) (path string, err error) {
	err = with(out, func(r *Rig) error {
		path, err = r.Collector(ctx)
		return err
	})
	return path, err
}

// Collector is the function Collector for a Rig that is open.
func (r *Rig) Collector(ctx context.Context) (path string, err error) {
	return r.tool(ctx, "otelcol-k8s")
}

// PgBouncer returns the path of a folder with the root file system of the tests' stand-in for pgbouncer's image, to run
// the program on this machine.
func PgBouncer(ctx context.Context, out io.Writer) (path string, err error) {
	err = with(out, func(r *Rig) error {
		path, err = testimages.PgBouncerRoot(ctx, testimages.Env{Root: r.Root, Cache: r.Cache, Log: r.Reporter.Log()})
		return err
	})
	return path, err
}

// RSyslog returns the command that runs rsyslogd, to which its arguments are added, for the benchmark of log shipping to
// compare with. It is not installed on this machine.
func RSyslog(ctx context.Context, out io.Writer) (command []string, err error) {
	err = with(out, func(r *Rig) error {
		command, err = r.RSyslog(ctx)
		return err
	})
	return command, err
}

// RSyslog is the function RSyslog for a Rig that is open.
func (r *Rig) RSyslog(ctx context.Context) (command []string, err error) {
	if command, err = rsyslog.Kept(r.Cache); err == nil {
		return command, nil
	}
	r.Reporter.Plan(1)
	err = r.Reporter.Step(ctx, "rsyslog", func(ctx context.Context, s *progress.Step) error {
		command, err = rsyslog.Command(ctx, s.Log(), r.Cache)
		return err
	})
	return command, err
}

// BusyBox is the function BusyBox for a Rig that is open.
func (r *Rig) BusyBox(ctx context.Context) (path string, err error) {
	path = filepath.Join(r.Cache, "busybox-"+busybox.Version, "busybox")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	r.Reporter.Plan(1)
	err = r.Reporter.Step(ctx, "busybox "+busybox.Version, func(ctx context.Context, s *progress.Step) error {
		path, _, err = busybox.Binary(ctx, s.Log(), r.Cache)
		return err
	})
	return path, err
}

// toolModules says what each tool is built of.
func (r *Rig) toolModules() map[string]func() (tools.Module, error) {
	plain := func(m tools.Module) func() (tools.Module, error) {
		return func() (tools.Module, error) { return m, nil }
	}
	return map[string]func() (tools.Module, error){
		"helm":        r.Builder.Helm,
		"kubectl":     r.kubectlModule,
		"ct":          plain(tools.ChartTesting()),
		"staticcheck": plain(tools.Staticcheck()),
		"otelcol-k8s": plain(tools.Collector()),
		"restic":      plain(tools.Restic()),
		"rclone":      plain(tools.Rclone()),
		"versitygw":   r.versityGWModule,
		"env":         plain(tools.Env()),
		"expand":      plain(tools.Expand()),
		"validate":    plain(tools.Validate()),
	}
}

// versityGWModule is the S3 server of its version, which it only knows by a linker flag.
func (r *Rig) versityGWModule() (tools.Module, error) {
	version, err := r.Builder.Version("versitygw", "github.com/versity/versitygw")
	return tools.VersityGW(strings.TrimPrefix(version, "v")), err
}

// kubectlModule is all that a node is made of where a node image was built here, which has a kubectl too.
func (r *Rig) kubectlModule() (tools.Module, error) {
	all, _, err := r.Builder.Node()
	if err != nil {
		return tools.Module{}, err
	}
	if dir, err := r.Builder.Dir(all); err == nil {
		if _, err := os.Stat(dir); err == nil {
			return all, nil
		}
	}
	return r.Builder.Kubectl()
}

// Tools is the function Tools for a Rig that is open.
func (r *Rig) Tools(ctx context.Context, names ...string) (string, error) {
	if len(names) == 0 {
		names = []string{"helm", "kubectl"}
	}
	key := new(cache.Key)
	programs := map[string]string{} // path by name
	for _, name := range names {
		path, err := r.tool(ctx, name)
		if err != nil {
			return "", err
		}
		programs[name] = path
		key.Add(name, path)
	}
	dir := filepath.Join(r.Cache, "tools", key.String())
	_, err := cache.Make(ctx, dir, func(tmp string) error {
		if err := os.MkdirAll(tmp, 0o755); err != nil {
			return err
		}
		for name, path := range programs {
			if err := os.Symlink(path, filepath.Join(tmp, name)); err != nil {
				return err
			}
		}
		return nil
	})
	return dir, err
}

// Prepare returns what builds tools, for Besides.
func (r *Rig) Prepare(names ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, name := range names {
			if _, err := r.tool(ctx, name); err != nil {
				return err
			}
		}
		return nil
	}
}

// tool returns the path of one tool, which is built in a step of its own unless it is there.
func (r *Rig) tool(ctx context.Context, name string) (string, error) {
	describe, known := r.toolModules()[name]
	if !known {
		return "", errors.New("no module says what " + name + " is built of")
	}
	m, err := describe()
	if err != nil {
		return "", err
	}
	dir, err := r.Builder.Dir(m)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	r.Reporter.Plan(1)
	err = r.Reporter.Step(ctx, "Compile "+name, func(ctx context.Context, s *progress.Step) error {
		_, _, err := r.Builder.Build(ctx, s.Log(), m)
		return err
	})
	return path, err
}
