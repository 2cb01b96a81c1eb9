package testimages

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/busybox"
	"github.com/outrigger-charts/outrigger/ci/image"
)

// BusyBoxRef is the image of busybox.
const BusyBoxRef = "docker.io/library/busybox:" + busybox.Tag

// busyBox is the library's default image for what is written as a shell script.
var busyBox = Image{
	Ref:    BusyBoxRef,
	MadeOf: "busybox " + busybox.Version + " of Debian's busybox-static",
	Key:    []string{busybox.Version},
	StandIn: func(ctx context.Context, e Env) (image.Spec, error) {
		binary, _, err := busybox.Binary(ctx, e.Log, e.Cache)
		if err != nil {
			return image.Spec{}, err
		}
		files, err := busybox.Files(ctx, binary)
		return image.Spec{Files: files, Config: v1.Config{
			Cmd: []string{"sh"},
			Env: []string{searchPath},
		}}, err
	},
}

// searchPath is what upstream images set, as a container engine would.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
