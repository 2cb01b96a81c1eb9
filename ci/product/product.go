// Package product makes what the project ships besides its chart: the image of the program that runs in sidecars. It is made
// without a container engine, and always the same from the same sources, whatever the machine, its clock or its paths.
package product

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

// Architectures are those that the image is made for.
var Architectures = []string{"amd64", "arm64"}

// Programs are in the image, by their packages in the module library.
var Programs = map[string]string{
	"outrigger":       "./cmd/outrigger",
	"outrigger-probe": "./cmd/outrigger-probe",
}

// Builder makes the image.
type Builder struct {
	Root  string // the repository
	Cache string // the cache directory
	Log   io.Writer
}

// Key is what the programs are made from.
func (b Builder) Key() (*cache.Key, error) {
	key := new(cache.Key).Add(runtime.Version())
	library := filepath.Join(b.Root, "library")
	if err := key.AddFiles(filepath.Join(library, "go.mod"), filepath.Join(library, "go.sum"), filepath.Join(b.Root, "LICENSE")); err != nil {
		return key, err
	}
	for _, dir := range []string{"cmd", "sidecar"} {
		err := filepath.WalkDir(filepath.Join(library, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			return key.Add(strings.TrimPrefix(path, library)).AddSources(os.DirFS(path))
		})
		if err != nil {
			return key, err
		}
	}
	return key, nil
}

// Programs returns a folder with the programs for an architecture.
func (b Builder) Programs(ctx context.Context, architecture string) (dir string, err error) {
	key, err := b.Key()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(b.Cache, "bin", "program-"+architecture+"-"+key.String())
	_, err = cache.Make(ctx, dir, func(tmp string) error {
		if err := os.MkdirAll(tmp, 0o755); err != nil {
			return err
		}
		for name, pkg := range Programs {
			cmd := proc.Cmd{
				Args: []string{"go", "build", "-mod=readonly", "-ldflags", "-s -w -buildid=", "-o", filepath.Join(tmp, name), pkg},
				Dir:  filepath.Join(b.Root, "library"), Log: b.Log,
				Env: append(tools.GoEnv(), "GOOS=linux", "GOARCH="+architecture, "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0"),
			}
			if err := tools.Compile(ctx, cmd, true); err != nil {
				return err
			}
		}
		return nil
	})
	cache.Prune(filepath.Dir(dir), "program-"+architecture+"-*", 3)
	return dir, err
}

// Spec is the image for an architecture, by the name that it goes by.
func (b Builder) Spec(ctx context.Context, ref, architecture string) (image.Spec, error) {
	dir, err := b.Programs(ctx, architecture)
	if err != nil {
		return image.Spec{}, err
	}
	chart, err := b.Chart()
	if err != nil {
		return image.Spec{}, err
	}
	f := image.NewFiles()
	for name := range Programs {
		if err := f.Copy(name, 0o755, filepath.Join(dir, name)); err != nil {
			return image.Spec{}, err
		}
	}
	if err := f.Copy("LICENSE", 0o644, filepath.Join(b.Root, "LICENSE")); err != nil {
		return image.Spec{}, err
	}
	materials, err := Materials(filepath.Join(dir, "outrigger"), chart.Version)
	if err != nil {
		return image.Spec{}, err
	}
	f.File("sbom.cdx.json", 0o644, string(materials))
	return image.Spec{Ref: ref, Files: f, Architecture: architecture, Compressed: true, Config: v1.Config{
		Entrypoint: []string{"/outrigger"},
		// By number: runAsNonRoot knows no names.
		User: "65532:65532",
		// The one folder that is writable wherever the root is not.
		Env: []string{"TMPDIR=/run/outrigger"},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "outrigger",
			"org.opencontainers.image.description": "What runs in the sidecars of charts that use the Helm library chart outrigger.",
			"org.opencontainers.image.version":     chart.Version,
			"org.opencontainers.image.licenses":    chart.Annotations["artifacthub.io/license"],
			"org.opencontainers.image.source":      chart.Home,
			"org.opencontainers.image.url":         chart.Home,
		},
	}}, nil
}

// Chart is what the image takes from the library's Chart.yaml.
type Chart struct {
	Version     string            `json:"version"`
	Home        string            `json:"home"`
	Annotations map[string]string `json:"annotations"`
}

// Chart reads the library's Chart.yaml.
func (b Builder) Chart() (chart Chart, err error) {
	content, err := os.ReadFile(filepath.Join(b.Root, "library/outrigger/Chart.yaml"))
	if err != nil {
		return chart, err
	}
	if err := yaml.Unmarshal(content, &chart); err != nil {
		return chart, err
	}
	if chart.Version == "" {
		return chart, fmt.Errorf("library/outrigger/Chart.yaml has no version")
	}
	return chart, nil
}
