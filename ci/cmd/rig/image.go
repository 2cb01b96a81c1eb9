package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/product"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// imageFolder is where the image is written, below the repository's root.
const imageFolder = ".build/image"

// makeImage writes the program's image for all architectures as an OCI layout, and brings it into the cluster if there is one.
func makeImage(ctx context.Context, r *rig.Rig) error {
	index, err := productIndex(ctx, r)
	if err != nil {
		return err
	}
	dir := filepath.Join(r.Root, imageFolder)
	if err := image.WriteLayout(dir, testimages.OutriggerRef, index); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	r.Reporter.Say("%s is %s, for %s: %s", imageFolder, testimages.OutriggerRef, strings.Join(product.Architectures, " and "), digest)
	if !r.HasCluster() {
		return nil
	}
	r.Images = []testimages.Image{testimages.Outrigger}
	_, err = r.Ensure(ctx)
	return err
}

// pushImage pushes the image to the registry that the variable REGISTRY names: registry.example/team.
func pushImage(ctx context.Context, r *rig.Rig) error {
	registry := os.Getenv("REGISTRY")
	if registry == "" {
		return errors.New("usage: make push REGISTRY=registry.example/team")
	}
	pushed, err := push(ctx, r, registry)
	if err != nil {
		return err
	}
	r.Reporter.Say("Pushed %s", pushed)
	return nil
}

// push pushes the image to a registry, with the credentials that docker login has left there, and returns its name with its digest.
func push(ctx context.Context, r *rig.Rig, registry string) (string, error) {
	tag, err := name.NewTag(registry + "/" + path.Base(testimages.OutriggerRef))
	if err != nil {
		return "", fmt.Errorf("REGISTRY: %w", err)
	}
	index, err := productIndex(ctx, r)
	if err != nil {
		return "", err
	}
	if err := remote.WriteIndex(tag, index, remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithContext(ctx)); err != nil {
		return "", err
	}
	digest, err := index.Digest()
	return fmt.Sprintf("%s@%s", tag, digest), err
}

// productIndex makes the image for all architectures.
func productIndex(ctx context.Context, r *rig.Rig) (index v1.ImageIndex, err error) {
	r.Reporter.Plan(1)
	err = r.Reporter.Step(ctx, "Image of the program", func(ctx context.Context, step *progress.Step) error {
		builder := product.Builder{Root: r.Root, Cache: r.Cache, Log: step.Log()}
		var specs []image.Spec
		for _, architecture := range product.Architectures {
			step.Is("for %s", architecture)
			spec, err := builder.Spec(ctx, testimages.OutriggerRef, architecture)
			if err != nil {
				return err
			}
			specs = append(specs, spec)
		}
		index, err = image.Index(specs...)
		return err
	})
	return index, err
}
