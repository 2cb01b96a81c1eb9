package testimages

import (
	"context"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/proc"
)

// BackendRef is the image of tests/backend. No registry has it.
const BackendRef = "docker.io/outrigger/test-backend:1"

var backend = Image{
	Ref:     BackendRef,
	MadeOf:  "tests/backend",
	Key:     []string{runtime.Version(), runtime.GOARCH},
	Sources: []string{"tests/backend", "tests/backend/cmd/backend"},
	StandIn: backendImage,
}

// Upstream tells whether a registry may have the image. It stands in for nothing where none has.
func (i Image) Upstream() bool { return i.Ref != BackendRef }

func backendImage(ctx context.Context, e Env) (image.Spec, error) {
	dir, err := os.MkdirTemp(e.Cache, "backend-")
	if err != nil {
		return image.Spec{}, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "backend")
	if _, err := proc.Run(ctx, proc.Cmd{
		Args: []string{
			"go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w", "-o", program, "./tests/backend/cmd/backend",
		},
		Env: []string{"CGO_ENABLED=0", "GOOS=linux", "GOWORK=off", "GOFLAGS="},
		Dir: e.Root, Log: e.Log,
	}); err != nil {
		return image.Spec{}, err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return image.Spec{}, err
	}
	f := image.NewFiles()
	f.File("backend", 0o755, string(content))
	return image.Spec{Files: f, Config: v1.Config{
		Entrypoint: []string{"/backend"},
		User:       "65532:65532",
		ExposedPorts: map[string]struct{}{
			"4317/tcp": {}, "4318/tcp": {}, "4319/tcp": {}, "8080/tcp": {},
		},
	}}, nil
}
