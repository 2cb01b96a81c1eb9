package testimages

import (
	"context"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

const lokiVersion = "3.7.8" // that of ci/modules/loki

// Loki is a backend that people ship to: a program without a shell. Who runs it names the configuration. It is not one of
// All: it takes minutes to compile, and only `make test-soak` runs it.
var Loki = Image{
	Ref:     "docker.io/grafana/loki:" + lokiVersion,
	MadeOf:  "Loki " + lokiVersion + " of the same Go modules",
	Built:   []tools.Module{tools.Loki()},
	StandIn: lokiStandIn,
}

func lokiStandIn(ctx context.Context, e Env) (image.Spec, error) {
	dir, _, err := e.builder().Build(ctx, e.Log, tools.Loki())
	if err != nil {
		return image.Spec{}, err
	}
	f := image.NewFiles()
	return image.Spec{Files: f, Config: v1.Config{
		User:         "10001",
		Entrypoint:   []string{"/usr/bin/loki"},
		Cmd:          []string{"-config.file=/etc/loki/local-config.yaml"},
		Env:          []string{searchPath},
		ExposedPorts: map[string]struct{}{"3100/tcp": {}},
	}}, f.Copy("usr/bin/loki", 0o755, filepath.Join(dir, "loki"))
}
