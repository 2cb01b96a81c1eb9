package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// imageReproducible makes the image twice, from clones that have nothing in common but their commit, each with an empty build
// cache, and compares the digests.
func imageReproducible(ctx context.Context, r *rig.Rig) error {
	dir, err := os.MkdirTemp("", "reproducible-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var digests []string
	for _, machine := range []struct {
		folder, umask, zone string
		times               time.Time
	}{
		{"one", "022", "UTC", time.Unix(1e9, 0)},
		{"another/with a space", "077", "Pacific/Auckland", time.Unix(17e8, 0)},
	} {
		r.Reporter.Plan(1)
		err := r.Reporter.Step(ctx, "Image from "+machine.folder, func(ctx context.Context, step *progress.Step) error {
			root := filepath.Join(dir, machine.folder)
			if _, err := proc.Run(ctx, proc.Cmd{Args: []string{"git", "clone", "--quiet", r.Root, root}, Log: step.Log()}); err != nil {
				return err
			}
			if err := dated(root, machine.times); err != nil {
				return err
			}
			caches := filepath.Join(dir, "caches of "+filepath.Base(root))
			_, err := proc.Run(ctx, proc.Cmd{
				Args: []string{"sh", "-c", "umask " + machine.umask + " && exec make image"},
				Dir:  root, Log: step.Log(),
				Env: []string{"TZ=" + machine.zone, "GOCACHE=" + filepath.Join(caches, "go"), "OUTRIGGER_CACHE=" + filepath.Join(caches, "rig")},
			})
			if err != nil {
				return err
			}
			digest, err := layoutDigest(filepath.Join(root, imageFolder))
			digests = append(digests, digest)
			step.Result("%s", digest)
			return err
		})
		if err != nil {
			return err
		}
	}
	if digests[0] != digests[1] {
		return fmt.Errorf("the image is another each time: %s", strings.Join(digests, ", "))
	}
	r.Reporter.Say("The image is the same each time: %s", digests[0])
	return nil
}

// dated gives all files of a tree one time.
func dated(root string, at time.Time) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		return os.Chtimes(path, at, at)
	})
}

// layoutDigest is the digest of the one image in an OCI layout.
func layoutDigest(dir string) (string, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return "", err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return "", err
	}
	return manifest.Manifests[0].Digest.String(), nil
}
