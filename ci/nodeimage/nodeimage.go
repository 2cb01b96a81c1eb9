// Package nodeimage builds a node image for kind where kindest/node cannot be pulled: out of
// Kubernetes' and its companions' Go modules, Debian's packages, and the files that kind's own module
// carries for the purpose. Its steps are those of kind's images/base/Dockerfile and 'kind build
// node-image', with what has to differ said where it does.
package nodeimage

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/outrigger-charts/outrigger/ci/busybox"
	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/debian"
	"github.com/outrigger-charts/outrigger/ci/engine"
	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

// suite is Debian's release that a node is made of: the newest whose systemd runs on a host with
// cgroup v1 too (kind's own images are a release further).
const suite = "bookworm"

// packages are what kind's Dockerfile installs, less what serves network storage and rootless
// engines, and runc, which kind compiles.
var packages = []string{
	"systemd", "conntrack", "iptables", "nftables", "iproute2", "ethtool", "util-linux", "mount", "kmod",
	"libseccomp2", "pigz", "e2fsprogs", "bash", "ca-certificates", "curl", "jq", "procps", "runc",
}

// Builder has what a node image is built with.
type Builder struct {
	Root     string // the repository
	Cache    string // the cache directory
	Name     string // the images are called Name/node; the tag is the key of what they are made from
	Tools    tools.Builder
	Reporter *progress.Reporter
}

// built are the paths of what goes into the image.
type built struct {
	programs  string // the directory that has the most of them
	localPath string
	rootFS    string
	busybox   string
	pause     string
}

// Ref returns the reference of the image that the present inputs make.
func (b Builder) Ref() (string, error) {
	key := new(cache.Key).Add(suite, strings.Join(packages, " "), fmt.Sprint(engine.Lacks("CAP_SYS_RESOURCE")))
	module, _, err := b.Tools.Node()
	if err != nil {
		return "", err
	}
	for _, m := range []tools.Module{module, tools.LocalPath()} {
		k, err := b.Tools.Key(m)
		if err != nil {
			return "", err
		}
		key.Add(k.String())
	}
	kind, err := tools.Required(filepath.Join(b.Root, "go.mod"), "sigs.k8s.io/kind")
	if err != nil {
		return "", err
	}
	key.Add(kind, busybox.Version)
	for _, dir := range []string{"ci/nodeimage", "ci/image", "ci/busybox", "ci/cmd/pause"} {
		if err := key.AddSources(os.DirFS(filepath.Join(b.Root, dir))); err != nil {
			return "", err
		}
	}
	return b.Name + "/node:" + key.String(), nil
}

// Steps is how many steps Build reports.
const Steps = 4

// Present tells whether the engine has an image.
func Present(ctx context.Context, ref string) bool {
	_, err := proc.Output(ctx, "docker", "image", "inspect", "--format", "{{.Id}}", ref)
	return err == nil
}

// Build builds the image ref, which Ref returned. An earlier run's parts are used again.
func (b Builder) Build(ctx context.Context, ref string) error {
	parts := &built{}
	if err := proc.Together(ctx, b.compile(parts), proc.InTurn(b.fetchBusyBox(parts), b.makeRootFS(parts))); err != nil {
		return err
	}
	return b.Reporter.Step(ctx, "Node image "+ref, func(ctx context.Context, s *progress.Step) error {
		s.Is("compiling pause")
		parts.pause = filepath.Join(b.Cache, "bin", "pause")
		if err := tools.BuildOwn(ctx, s.Log(), b.Root, "./ci/cmd/pause", parts.pause); err != nil {
			return err
		}
		return b.assemble(ctx, s, parts, ref)
	})
}

func (b Builder) compile(parts *built) func(context.Context) error {
	return func(ctx context.Context) error {
		module, version, err := b.Tools.Node()
		if err != nil {
			return err
		}
		return b.Reporter.Step(ctx, "Compile Kubernetes "+version+", containerd, etcd, CoreDNS", func(ctx context.Context, s *progress.Step) error {
			dir, reused, err := b.Tools.Build(ctx, s.Log(), module)
			if err != nil {
				return err
			}
			if reused {
				s.Reused()
			}
			parts.programs = dir
			parts.localPath, _, err = b.Tools.Build(ctx, s.Log(), tools.LocalPath())
			return err
		})
	}
}

func (b Builder) fetchBusyBox(parts *built) func(context.Context) error {
	return func(ctx context.Context) error {
		return b.Reporter.Step(ctx, "busybox "+busybox.Version, func(ctx context.Context, s *progress.Step) error {
			path, reused, err := busybox.Binary(ctx, s.Log(), b.Cache)
			if reused {
				s.Reused()
			}
			parts.busybox = path
			return err
		})
	}
}

func (b Builder) makeRootFS(parts *built) func(context.Context) error {
	return func(ctx context.Context) error {
		return b.Reporter.Step(ctx, "Node root file system, from Debian "+suite, func(ctx context.Context, s *progress.Step) error {
			key := new(cache.Key).Add(suite, strings.Join(packages, " "))
			parts.rootFS = filepath.Join(b.Cache, "rootfs", "node-"+key.String()+".tar")
			reused, err := cache.Make(ctx, parts.rootFS, func(tmp string) error {
				return debian.RootFS(ctx, s.Log(), tmp, suite, packages...)
			})
			if reused {
				s.Reused()
			}
			return err
		})
	}
}

// assemble makes one image of the parts: a base, whose own containerd then imports the control plane's
// images into the place where the node's will find them.
func (b Builder) assemble(ctx context.Context, s *progress.Step, parts *built, ref string) (err error) {
	s.Is("asking kubeadm for the images' names")
	names, version, err := b.imageNames(ctx, parts)
	if err != nil {
		return err
	}
	files, err := b.nodeFiles(ctx, parts, names, version)
	if err != nil {
		return err
	}
	base := strings.Replace(ref, ":", "-base:", 1)
	// One name per cache directory, whose lock is held: a container of this name is what a run that was
	// killed left behind.
	name := "outrigger-build-" + new(cache.Key).Add(b.Cache).String()
	_, _ = proc.Output(ctx, "docker", "rm", "--force", "--volumes", name)
	s.Is("importing the base into Docker")
	if err := importBase(ctx, s.Log(), files, base); err != nil {
		return err
	}
	defer func() {
		// Also after an interrupt, when ctx is no good any more.
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_, _ = proc.Output(cleanup, "docker", "rm", "--force", "--volumes", name)
		_, _ = proc.Output(cleanup, "docker", "image", "rm", base)
	}()
	run := container{name: name, log: s.Log()}
	if err := run.start(ctx, base); err != nil {
		return err
	}
	s.Is("importing the control plane's images into its containerd")
	specs, err := b.controlPlane(ctx, parts, names)
	if err != nil {
		return err
	}
	if err := run.importImages(ctx, specs); err != nil {
		return err
	}
	s.Is("committing the image")
	_, err = proc.Run(ctx, proc.Cmd{Log: s.Log(), Args: []string{
		"docker", "commit", "--change", entrypoint, name, ref,
	}})
	return err
}

const entrypoint = `ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]`

func importBase(ctx context.Context, log io.Writer, files *image.Files, ref string) error {
	return proc.Pipe(files.WriteTar, func(r io.Reader) error {
		_, err := proc.Run(ctx, proc.Cmd{Log: log, Stdin: r, Args: []string{
			"docker", "import",
			"--change", entrypoint,
			"--change", "ENV container=docker", // tells systemd where it is
			"-", ref,
		}})
		return err
	})
}

// container is the one in which the image is finished.
type container struct {
	name string
	log  io.Writer
}

func (c container) start(ctx context.Context, base string) error {
	_, err := proc.Run(ctx, proc.Cmd{Log: c.log, Args: []string{
		"docker", "run", "--detach", "--name", c.name, "--privileged",
		"--stop-signal", "SIGRTMIN+3", // which ends systemd, where SIGTERM restarts it; the image inherits it
		"--entrypoint", "sleep", base, "infinity",
	}})
	if err != nil {
		return err
	}
	// What kind's Dockerfile does for every container's specification, less a hook: it gives each node a product id of its
	// own, which takes a fifth of the processor time of a container's start, and there is one node.
	if err := c.shell(ctx, nil, "ctr oci spec | jq 'del(.process.rlimits)' > /etc/containerd/cri-base.json"); err != nil {
		return err
	}
	if err := c.shell(ctx, nil, "nohup containerd >/var/log/containerd-build.log 2>&1 &"); err != nil {
		return err
	}
	return c.shell(ctx, nil, `for i in $(seq 100); do
		[ -S /run/containerd/containerd.sock ] && ctr version >/dev/null 2>&1 && exit 0
		sleep 0.1
	done
	cat /var/log/containerd-build.log; exit 1`)
}

func (c container) importImages(ctx context.Context, specs []image.Spec) error {
	write := func(w io.Writer) error { return image.Write(w, specs...) }
	err := proc.Pipe(write, func(r io.Reader) error {
		// Pinned: the kubelet's clean-up would take what nobody could pull again.
		return c.shell(ctx, r, "ctr --namespace=k8s.io images import "+
			"--label=io.cri-containerd.pinned=pinned --all-platforms --no-unpack --digests -")
	})
	if err != nil {
		return err
	}
	return c.shell(ctx, nil, "pkill -x containerd; while pgrep --runstates DRS -x containerd >/dev/null; do sleep 0.1; done; rm -f /var/log/containerd-build.log")
}

func (c container) shell(ctx context.Context, stdin io.Reader, script string) error {
	args := []string{"docker", "exec", "--interactive", c.name, "bash", "-e", "-o", "pipefail", "-c", script}
	_, err := proc.Run(ctx, proc.Cmd{Log: c.log, Stdin: stdin, Args: args})
	return err
}
