package nodeimage

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/engine"
	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/proc"
)

// nodeFiles is a node's file system but for its containerd's content.
func (b Builder) nodeFiles(ctx context.Context, parts *built, names imageNames, version string) (*image.Files, error) {
	f := image.NewFiles()
	if err := f.AddTar(parts.rootFS, keepOfRootFS); err != nil {
		return nil, err
	}
	trimSystemd(f)
	kind, err := b.kindDir(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.CopyDir("", filepath.Join(kind, "images/base/files"), modeOfKindFile); err != nil {
		return nil, err
	}
	if err := addPrograms(f, parts); err != nil {
		return nil, err
	}
	if err := configure(f, names); err != nil {
		return nil, err
	}
	manifest, err := storageManifest(kind)
	if err != nil {
		return nil, err
	}
	f.File("kind/manifests/default-storage.yaml", 0o644, manifest)
	f.File("kind/version", 0o644, version)
	f.Dir("etc/kubernetes/manifests", 0o755)
	return f, nil
}

// kindDir is where Go keeps the source of the kind module that this repository requires.
func (b Builder) kindDir(ctx context.Context) (string, error) {
	return proc.Run(ctx, proc.Cmd{
		Dir: b.Root, Args: []string{"go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kind"},
	})
}

func keepOfRootFS(path string) bool {
	for _, left := range []string{"dev/", "var/lib/apt/lists/", "var/cache/apt/", "var/log/", "etc/hostname", "etc/resolv.conf"} {
		if strings.HasPrefix(path, left) {
			return false
		}
	}
	return true
}

// trimSystemd takes out the units that kind's Dockerfile takes out: those that have no place in a
// container.
func trimSystemd(f *image.Files) {
	for _, pattern := range []string{
		"usr/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
		"usr/lib/systemd/system/multi-user.target.wants/*",
		"etc/systemd/system/*.wants/*",
		"usr/lib/systemd/system/local-fs.target.wants/*",
		"usr/lib/systemd/system/sockets.target.wants/*udev*",
		"usr/lib/systemd/system/sockets.target.wants/*initctl*",
		"usr/lib/systemd/system/basic.target.wants/*",
	} {
		for _, path := range append(f.Match(pattern), f.Match(strings.TrimPrefix(pattern, "usr/"))...) {
			f.Remove(path)
		}
	}
}

// modeOfKindFile is the mode that kind's Dockerfile copies a file with.
func modeOfKindFile(path string) fs.FileMode {
	if strings.HasPrefix(path, "usr/local/bin/") || strings.HasPrefix(path, "kind/bin/") {
		return 0o755
	}
	return 0o644
}

// addPrograms puts every program where the units and configurations of kind's files expect it. Of what kind's own node
// images have, crictl is left out: a person would call it, and `kind export logs`.
func addPrograms(f *image.Files, parts *built) error {
	places := map[string][]string{ // by directory in the node
		"usr/bin":       {"kubelet", "kubeadm", "kubectl"},
		"usr/local/bin": {"containerd", "containerd-shim-runc-v2", "ctr"},
		"opt/cni/bin":   {"host-local", "loopback", "ptp", "portmap"},
	}
	for dir, programs := range places {
		for _, program := range programs {
			if err := f.Copy(dir+"/"+program, 0o755, filepath.Join(parts.programs, program)); err != nil {
				return err
			}
		}
	}
	return nil
}

var sandboxImage = regexp.MustCompile(`sandbox_image = ".*"`)

// configure does what kind's Dockerfile does by commands, and what has to differ here.
func configure(f *image.Files, names imageNames) error {
	for _, unit := range []string{"kubelet", "containerd", "undo-mount-hacks"} {
		f.Symlink("etc/systemd/system/multi-user.target.wants/"+unit+".service", "/etc/systemd/system/"+unit+".service")
	}
	f.Symlink("etc/systemd/system/systemd-binfmt.service", "/dev/null") // it would register things with the host's kernel
	f.Symlink("usr/sbin/init", "/usr/lib/systemd/systemd")
	f.File("etc/cni/net.d/10-outrigger.conflist", 0o644, conflist)
	if err := f.Edit("etc/systemd/journald.conf", func(s string) string { return s + "ReadKMsg=no\n" }); err != nil {
		return err
	}
	pause := fmt.Sprintf("sandbox_image = %q", names["pause"])
	if err := f.Edit("etc/containerd/config.toml", func(s string) string {
		return sandboxImage.ReplaceAllLiteralString(s, pause)
	}); err != nil {
		return err
	}
	if !engine.Lacks("CAP_SYS_RESOURCE") {
		return nil
	}
	// Without it nothing may lower an OOM score, and containerd would fail at every pod.
	return f.Edit("etc/containerd/config.toml", func(s string) string {
		return strings.ReplaceAll(s, "restrict_oom_score_adj = false", "restrict_oom_score_adj = true")
	})
}

// conflist is the pod network: the plugins that kind's kindnetd would set up in the same way, if its
// image could be pulled. One node needs no routes to others. The subnet is part of kind's default
// pod subnet.
const conflist = `{
  "cniVersion": "1.0.0",
  "name": "outrigger",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": true,
      "ipam": {
        "type": "host-local",
        "dataDir": "/run/cni-ipam-state",
        "ranges": [[{"subnet": "10.244.0.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      },
      "mtu": 1500
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`
