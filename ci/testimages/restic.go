package testimages

import (
	"context"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

const resticVersion = "0.19.1" // that of ci/modules/restic

// ResticRef is the image of restic.
const ResticRef = "docker.io/restic/restic:" + resticVersion

// restic is a backup program. Upstream's image has ssh, jq and FUSE too, and starts restic through a script that
// sets its priority.
var restic = Image{
	Ref:     ResticRef,
	MadeOf:  "restic " + resticVersion + " of the same Go modules, busybox, and Debian's time zones",
	Key:     alpineKey,
	Built:   []tools.Module{tools.Restic()},
	StandIn: resticStandIn,
}

func resticStandIn(ctx context.Context, e Env) (image.Spec, error) {
	dir, _, err := e.builder().Build(ctx, e.Log, tools.Restic())
	if err != nil {
		return image.Spec{}, err
	}
	f, err := alpine(ctx, e)
	if err != nil {
		return image.Spec{}, err
	}
	return image.Spec{Files: f, Config: v1.Config{
		Entrypoint: []string{"/usr/bin/restic"},
		Env:        []string{searchPath},
	}}, f.Copy("usr/bin/restic", 0o755, filepath.Join(dir, "restic"))
}
