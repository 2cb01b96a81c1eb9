package testimages

import (
	"context"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

const versityGWVersion = "1.8.0" // that of ci/modules/versitygw

// VersityGWRef is the image of the S3 server of the tests.
const VersityGWRef = "docker.io/versity/versitygw:v" + versityGWVersion

// versityGW is an S3 server that any user can run, told by its arguments alone what to serve. Upstream's image starts it
// through a script that knows variables for the same.
var versityGW = Image{
	Ref:     VersityGWRef,
	MadeOf:  "the Versity S3 Gateway " + versityGWVersion + " of the same Go modules, and busybox",
	Key:     alpineKey,
	Built:   []tools.Module{tools.VersityGW(versityGWVersion)},
	StandIn: versityGWStandIn,
}

func versityGWStandIn(ctx context.Context, e Env) (image.Spec, error) {
	dir, _, err := e.builder().Build(ctx, e.Log, tools.VersityGW(versityGWVersion))
	if err != nil {
		return image.Spec{}, err
	}
	f, err := alpine(ctx, e)
	if err != nil {
		return image.Spec{}, err
	}
	return image.Spec{Files: f, Config: v1.Config{
		Entrypoint: []string{"/usr/local/bin/versitygw"},
		Env:        []string{searchPath},
	}}, f.Copy("usr/local/bin/versitygw", 0o755, filepath.Join(dir, "versitygw"))
}
