package image

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Spec is an image to be made: the name it goes by, what is in it, and how it is run.
type Spec struct {
	Ref    string
	Files  *Files
	Config v1.Config
	// Architecture is what it runs on; empty: what this machine is.
	Architecture string
	// Compressed is for images that travel: packing costs more than it saves for those that go to a containerd on this machine.
	Compressed bool
}

// Build makes an image of one layer.
func Build(s Spec) (v1.Image, error) { return build(s, types.DockerLayer) }

func build(s Spec, layerType types.MediaType) (v1.Image, error) {
	content, err := s.Files.tar()
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	level := gzip.NoCompression
	if s.Compressed {
		level = gzip.BestCompression
	}
	layer, err := tarball.LayerFromOpener(open, tarball.WithCompressionLevel(level), tarball.WithMediaType(layerType))
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", cmp.Or(s.Architecture, runtime.GOARCH), s.Config
	return mutate.ConfigFile(img, file)
}

// Write builds images and writes them as one archive that 'ctr images import' and 'docker load' read.
func Write(w io.Writer, specs ...Spec) error {
	images := map[name.Tag]v1.Image{}
	for _, s := range specs {
		tag, err := name.NewTag(s.Ref)
		if err != nil {
			return err
		}
		img, err := Build(s)
		if err != nil {
			return err
		}
		images[tag] = img
	}
	return tarball.MultiWrite(images, w)
}
