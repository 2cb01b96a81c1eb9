package rig

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/outrigger-charts/outrigger/ci/proc"
)

// Delete removes the kind cluster and what is remembered of it. It needs a Docker engine that answers.
func (r *Rig) Delete(ctx context.Context) error {
	return r.locked(ctx, func() error {
		_ = os.Remove(r.statePath())
		provider := cluster.NewProvider(cluster.ProviderWithDocker(), cluster.ProviderWithLogger(kindLogger{r.Reporter.Log()}))
		if err := provider.Delete(Name(), r.OwnKubeconfig()); err != nil {
			return kindError(err)
		}
		return os.RemoveAll(r.clusterDir())
	})
}

// RemoveImages removes the node images that were built for the cluster from the engine. It needs a
// Docker engine that answers, and no cluster that uses them.
func (r *Rig) RemoveImages(ctx context.Context) error {
	return r.locked(ctx, func() error { return r.removeNodeImages(ctx, "") })
}

// removeNodeImages removes the node images that were built for the cluster but for the one in use, each
// being a gigabyte, and what a build that was killed left half done.
func (r *Rig) removeNodeImages(ctx context.Context, inUse string) error {
	refs, err := proc.Output(ctx, "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference="+Name()+"/node*")
	for _, ref := range strings.Fields(refs) {
		if ref != inUse && err == nil {
			_, err = proc.Run(ctx, proc.Cmd{Args: []string{"docker", "image", "rm", ref}, Log: r.Reporter.Log()})
		}
	}
	return err
}

// RemoveArchives removes the images in the cache directory and what they are made of. The programs that
// were compiled stay.
func (r *Rig) RemoveArchives(ctx context.Context) error {
	return r.locked(ctx, func() error {
		for _, pattern := range []string{"images", "rootfs", "busybox-*"} {
			paths, err := filepath.Glob(filepath.Join(r.Cache, pattern))
			if err != nil {
				return err
			}
			for _, p := range paths {
				if err := os.RemoveAll(p); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
