package rig

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/ci/nodeimage"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
)

// configFile is the cluster's configuration for kind.
const configFile = "ci/kind.yaml"

// config reads the configuration file and adds what depends on the machine and the node image.
func (r *Rig) config(ctx context.Context, origin string) (*v1alpha4.Cluster, error) {
	b, err := os.ReadFile(filepath.Join(r.Root, configFile))
	if err != nil {
		return nil, err
	}
	var c v1alpha4.Cluster
	if err := yaml.UnmarshalStrict(b, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	if origin == BuiltLocally {
		c.Networking.DisableDefaultCNI = true // the image brings its own
	}
	if cgroupV1(ctx) {
		// The kubelet refuses to start there by default since Kubernetes 1.35.
		c.KubeadmConfigPatches = append(c.KubeadmConfigPatches, `kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
failCgroupV1: false
`)
	}
	return &c, nil
}

// cgroupV1 asks the engine, which may be on another machine or in a virtual one.
func cgroupV1(ctx context.Context) bool {
	version, err := proc.Output(ctx, "docker", "info", "--format", "{{.CgroupVersion}}")
	return err == nil && version == "1"
}

// wantedNodeImage is the image of kind's own that the cluster is made of where it can be had:
// OUTRIGGER_NODE_IMAGE, or the one that the version of kind in go.mod was released with.
func wantedNodeImage() string {
	if image := os.Getenv("OUTRIGGER_NODE_IMAGE"); image != "" {
		return image
	}
	return defaults.Image
}

// chooseImage returns the node image. Offline tells that no registry could be reached; then the image is one that is
// built on this machine, if it was not before.
func (r *Rig) chooseImage(ctx context.Context) (image string, offline bool, err error) {
	image = wantedNodeImage()
	err = r.Reporter.Step(ctx, "Node image", func(ctx context.Context, s *progress.Step) error {
		if nodeimage.Present(ctx, image) {
			s.Result("%s is here", short(image))
			return nil
		}
		s.Is("pulling %s", short(image))
		pullErr := pull(ctx, s.Log(), image)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if pullErr == nil {
			s.Result("%s pulled", short(image))
			return nil
		}
		offline = true
		wanted := short(image)
		if image, err = r.nodeImages().Ref(); err != nil {
			return err
		}
		if nodeimage.Present(ctx, image) {
			s.Result("%s cannot be pulled; %s reused", wanted, image)
			return nil
		}
		s.Result("%s cannot be pulled, so one is built on this machine", wanted)
		return nil
	})
	return image, offline, err
}

// buildNodeImage builds a node image, unless the engine has it.
func (r *Rig) buildNodeImage(ctx context.Context, image string) error {
	if nodeimage.Present(ctx, image) {
		return nil
	}
	r.Reporter.Plan(nodeimage.Steps)
	return r.nodeImages().Build(ctx, image)
}

// short is an image reference without its digest.
func short(ref string) string {
	for i, c := range ref {
		if c == '@' {
			return ref[:i]
		}
	}
	return ref
}

// Bounds of a pull: a registry that answers says so within silence, and a node image of some 400 MB
// arrives within the limit on any line worth using.
const (
	pullSilence = 20 * time.Second
	pullLimit   = 10 * time.Minute
)

// pull lets the engine pull an image, by its own settings for proxies and mirrors. It gives up soon if
// no registry answers.
func pull(ctx context.Context, log io.Writer, image string) error {
	ctx, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	answered := &firstWrite{to: log, seen: make(chan struct{})}
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-answered.seen:
		case <-finished:
		case <-time.After(pullSilence):
			cancel()
		}
	}()
	// docker says nothing on standard output before it has the image's manifest.
	_, err := proc.Run(ctx, proc.Cmd{Args: []string{"docker", "pull", image}, Log: log, Stdout: answered})
	return err
}

// firstWrite tells when the first byte passes.
type firstWrite struct {
	to   io.Writer
	once sync.Once
	seen chan struct{}
}

func (f *firstWrite) Write(p []byte) (int, error) {
	f.once.Do(func() { close(f.seen) })
	return f.to.Write(p)
}
