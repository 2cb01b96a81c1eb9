package testimages

import (
	"context"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

const rcloneVersion = "1.76.0" // that of ci/modules/rclone

// rclone copies to and from object stores. Upstream's image has FUSE too.
var rclone = Image{
	Ref:     "docker.io/rclone/rclone:" + rcloneVersion,
	MadeOf:  "rclone " + rcloneVersion + " of the same Go modules, only the backends and commands that the tests use, busybox, and Debian's time zones",
	Key:     alpineKey,
	Built:   []tools.Module{tools.Rclone()},
	StandIn: rcloneStandIn,
}

func rcloneStandIn(ctx context.Context, e Env) (image.Spec, error) {
	dir, _, err := e.builder().Build(ctx, e.Log, tools.Rclone())
	if err != nil {
		return image.Spec{}, err
	}
	f, err := alpine(ctx, e)
	if err != nil {
		return image.Spec{}, err
	}
	if err := account(f, "rclone", "1009", "/home/rclone", "/bin/sh"); err != nil {
		return image.Spec{}, err
	}
	f.Dir("data", 0o755)
	return image.Spec{Files: f, Config: v1.Config{
		Entrypoint: []string{"rclone"},
		WorkingDir: "/data",
		Env:        []string{searchPath, "XDG_CONFIG_HOME=/config"},
	}}, f.Copy("usr/local/bin/rclone", 0o755, filepath.Join(dir, "rclone"))
}
