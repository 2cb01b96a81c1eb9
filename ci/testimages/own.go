package testimages

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

// Own tells whether an image is compiled from this repository, and in no registry.
func Own(ref string) bool {
	return slices.Contains([]string{BackendRef, OutriggerRef, TokenServerRef}, ref)
}

// Upstream tells whether a registry may have the image. It stands in for nothing where none has.
func (i Image) Upstream() bool { return !Own(i.Ref) }

// own is the image of the program tests/NAME/cmd/NAME, which listens on ports.
func own(ref, name string, ports ...string) Image {
	folder := "tests/" + name
	program := folder + "/cmd/" + name
	return Image{
		Ref:     ref,
		MadeOf:  folder,
		Key:     append([]string{runtime.Version(), runtime.GOARCH}, ports...),
		Sources: []string{folder, program, "tests/backend", "tests/tenants"}, // what they import too
		StandIn: func(ctx context.Context, e Env) (image.Spec, error) {
			content, err := compiled(ctx, e, name, "./"+program)
			if err != nil {
				return image.Spec{}, err
			}
			f := image.NewFiles()
			f.File(name, 0o755, string(content))
			exposed := map[string]struct{}{}
			for _, port := range ports {
				exposed[port+"/tcp"] = struct{}{}
			}
			return image.Spec{Files: f, Config: v1.Config{Entrypoint: []string{"/" + name}, User: "65532:65532", ExposedPorts: exposed}}, nil
		},
	}
}

// compiled returns a program of the repository's.
func compiled(ctx context.Context, e Env, name, source string) ([]byte, error) {
	dir, err := os.MkdirTemp(e.Cache, name+"-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, name)
	if err := tools.BuildOwn(ctx, e.Log, e.Root, source, program, "GOOS=linux", "GOWORK=off"); err != nil {
		return nil, err
	}
	return os.ReadFile(program)
}
