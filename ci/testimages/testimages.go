// Package testimages are the images that the tests' pods run: upstream's where they can be pulled, else
// stand-ins made on this machine, which go by the same names in the cluster's node and nowhere else. A
// stand-in holds what the image it stands for holds: the same tools at the same paths, no more.
package testimages

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/product"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

// Image is an image that tests use.
type Image struct {
	Ref string // as a pod names it, with its registry
	// MadeOf says in a few words what the stand-in is made of.
	MadeOf string
	// Key is all of what the stand-in is made of but for this package's sources, Sources, Folders and what is Built.
	Key []string
	// Built are the modules whose programs are in the stand-in.
	Built []tools.Module
	// Sources are folders of the repository whose Go files, go.mod and go.sum the stand-in is compiled from.
	Sources []string
	// Folders are folders of the repository whose files are in the stand-in.
	Folders []string
	// StandIn makes what takes the image's place.
	StandIn func(ctx context.Context, e Env) (image.Spec, error)
	// Shipped says that it is no stand-in but what the project ships: the tests run the very image of a release.
	Shipped bool
}

// All are the images of `make test`. A further one is a file of this package and a line here.
var All = []Image{
	backend, busyBox, collector, django, dynamicBusyBox, mariadb, nginx, nginxOfHelmCreate, pgBouncer, postgres, rclone, redis,
	restic, Outrigger, sqlite, tokenServer, versityGW,
}

// Demo are the images of charts/logging-app with its own values.
var Demo = []Image{busyBox}

// Env is what a stand-in is made with.
type Env struct {
	Root  string // the repository
	Cache string // the cache directory
	Log   io.Writer
}

func (e Env) builder() tools.Builder {
	return tools.Builder{Modules: filepath.Join(e.Root, "ci/modules"), Cache: e.Cache}
}

func (e Env) product() product.Builder {
	return product.Builder{Root: e.Root, Cache: e.Cache, Log: e.Log}
}

// StandInKey is what an image's stand-in is made from. Root is the repository's.
func (i Image) StandInKey(root string) (string, error) {
	key := new(cache.Key).Add(i.Ref).Add(i.Key...)
	for _, dir := range []string{"ci/testimages", "ci/image", "ci/busybox", "ci/debian", "ci/product"} {
		if err := key.AddSources(os.DirFS(filepath.Join(root, dir))); err != nil {
			return "", err
		}
	}
	if len(i.Sources) > 0 {
		if err := key.AddFiles(filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum")); err != nil {
			return "", err
		}
	}
	for _, dir := range i.Sources {
		if err := key.AddSources(os.DirFS(filepath.Join(root, dir))); err != nil {
			return "", err
		}
	}
	for _, dir := range i.Folders {
		if err := key.AddTree(os.DirFS(filepath.Join(root, dir))); err != nil {
			return "", err
		}
	}
	if i.Shipped {
		product, err := Env{Root: root}.product().Key()
		if err != nil {
			return "", err
		}
		key.Add(product.String())
	}
	for _, m := range i.Built {
		built, err := Env{Root: root}.builder().Key(m)
		if err != nil {
			return "", err
		}
		key.Add(built.String())
	}
	return key.String(), nil
}

// Compiled tells of how much the stand-in is compiled: 0 of nothing.
func (i Image) Compiled() int {
	if i.Shipped {
		return 1
	}
	return len(i.Built) + len(i.Sources)
}

// archive is the path of the archive with the image's stand-in, whether there is one or not.
func (i Image) archive(e Env) (string, error) {
	key, err := i.StandInKey(e.Root)
	return filepath.Join(e.Cache, "images", i.fileName()+"-"+key+".tar"), err
}

func (i Image) fileName() string { return strings.NewReplacer("/", "_", ":", "_").Replace(i.Ref) }

// Made tells whether the stand-in's archive is there.
func (i Image) Made(e Env) bool {
	path, err := i.archive(e)
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// Archive returns the path of an archive with the image's stand-in, for 'ctr images import'.
func (i Image) Archive(ctx context.Context, e Env) (string, error) {
	path, err := i.archive(e)
	if err != nil {
		return "", err
	}
	_, err = cache.Make(ctx, path, func(tmp string) error {
		spec, err := i.StandIn(ctx, e)
		if err != nil {
			return err
		}
		spec.Ref = i.Ref
		f, err := os.Create(tmp)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := i.write(f, spec); err != nil {
			return err
		}
		return f.Close()
	})
	cache.Prune(filepath.Dir(path), i.fileName()+"-*.tar", 2)
	return path, err
}

// write writes the archive. What is shipped keeps its digest in it.
func (i Image) write(w io.Writer, spec image.Spec) error {
	if !i.Shipped {
		return image.Write(w, spec)
	}
	img, err := image.BuildOCI(spec)
	if err != nil {
		return err
	}
	return image.WriteArchive(w, i.Ref, img)
}

// Image returns an image that is shipped, as a registry has it for this machine's architecture.
func (i Image) Image(ctx context.Context, e Env) (v1.Image, error) {
	spec, err := i.StandIn(ctx, e)
	if err != nil {
		return nil, err
	}
	return image.BuildOCI(spec)
}
