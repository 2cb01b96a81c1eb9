package rig

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
	kindexec "sigs.k8s.io/kind/pkg/exec"
	"sigs.k8s.io/kind/pkg/log"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// node is the container that is a cluster's node.
type node struct {
	id      string
	running bool
	started time.Time // the last time
}

// inspectNode returns what the engine says of a node's container.
func inspectNode(ctx context.Context, name string) (node, error) {
	const format = "{{.Id}} {{.State.Running}} {{.State.StartedAt}}"
	out, err := proc.Output(ctx, "docker", "inspect", "--type=container", "--format", format, name)
	if err != nil {
		return node{}, err
	}
	fields := strings.Fields(out)
	if len(fields) != 3 {
		return node{}, fmt.Errorf("docker inspect %s: %q", name, out)
	}
	started, err := time.Parse(time.RFC3339Nano, fields[2])
	return node{id: fields[0], running: fields[1] == "true", started: started}, err
}

// nodeHas returns which references the node's containerd knows.
func nodeHas(ctx context.Context, node string) (map[string]bool, error) {
	out, err := proc.Output(ctx, "docker", "exec", node, "ctr", "--namespace=k8s.io", "images", "list", "--quiet")
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, ref := range strings.Fields(out) {
		has[ref] = true
	}
	return has, nil
}

// loaded returns what is remembered of an image, if the node still has it and its stand-in, should it be
// one, is made from what it would be made from now.
func (r *Rig) loaded(s state, has map[string]bool, image testimages.Image) (ImageOrigin, bool) {
	for _, o := range s.Cluster.Images {
		if o.Ref != image.Ref || !has[o.Ref] {
			continue
		}
		if o.Upstream {
			return o, true
		}
		key, err := image.StandInKey(r.Root)
		return o, err == nil && key == o.Key
	}
	return ImageOrigin{}, false
}

func (r *Rig) imagesMissing(ctx context.Context, s state) bool {
	has, err := nodeHas(ctx, s.Cluster.Node)
	if err != nil {
		return true
	}
	for _, image := range r.Images {
		if _, ok := r.loaded(s, has, image); !ok {
			return true
		}
	}
	return false
}

// loadImages gets the images into the node and remembers where each is from.
func (r *Rig) loadImages(ctx context.Context, step *progress.Step, s *state, images []testimages.Image, offline bool) error {
	has, err := nodeHas(ctx, s.Cluster.Node)
	if err != nil {
		return err
	}
	var origins []ImageOrigin
	var said []string
	images = slices.Clone(images)
	slices.SortStableFunc(images, func(a, b testimages.Image) int { // what is compiled comes last: see prepareStandIns
		return cmp.Compare(a.Compiled(), b.Compiled())
	})
	for _, image := range images {
		o, ok := r.loaded(*s, has, image)
		if !ok {
			if o, err = r.loadImage(ctx, step, s.Cluster.Node, image, &offline); err != nil {
				return fmt.Errorf("%s: %w", image.Ref, err)
			}
		}
		origins = append(origins, o)
		said = append(said, o.String())
	}
	step.Result("%s", strings.Join(said, "; "))
	for _, o := range s.Cluster.Images { // what another caller needed stays known
		if !slices.ContainsFunc(images, func(image testimages.Image) bool { return image.Ref == o.Ref }) {
			origins = append(origins, o)
		}
	}
	s.Cluster.Images = origins
	return r.writeState(*s)
}

// String says where an image is from, for people.
func (o ImageOrigin) String() string {
	ref := strings.TrimPrefix(o.Ref, "docker.io/library/")
	if o.Upstream {
		return ref + " is upstream's"
	}
	if testimages.Own(o.Ref) {
		return ref + " is built here (" + o.MadeOf + ")"
	}
	return ref + " is a stand-in (" + o.MadeOf + ")"
}

// nodePullLimit bounds the pull of one small image; after one failure no other is tried.
const nodePullLimit = 90 * time.Second

func (r *Rig) loadImage(ctx context.Context, step *progress.Step, node string, image testimages.Image, offline *bool) (ImageOrigin, error) {
	if !*offline && image.Upstream() {
		step.Is("pulling %s", image.Ref)
		pullCtx, cancel := context.WithTimeout(ctx, nodePullLimit)
		defer cancel()
		_, err := proc.Run(pullCtx, proc.Cmd{Log: step.Log(), Args: []string{"docker", "exec", node, "crictl", "pull", image.Ref}})
		if err == nil {
			return ImageOrigin{Ref: image.Ref, Upstream: true}, nil
		}
		if ctx.Err() != nil {
			return ImageOrigin{}, ctx.Err()
		}
		*offline = true
	}
	step.Is("making a stand-in for %s", image.Ref)
	archive, err := image.Archive(ctx, testimages.Env{Root: r.Root, Cache: r.Cache, Log: step.Log()})
	if err != nil {
		return ImageOrigin{}, err
	}
	step.Is("loading the stand-in for %s", image.Ref)
	if image.Shipped {
		err = r.loadShipped(ctx, step, node, image, archive)
	} else {
		err = loadArchive(node, archive)
	}
	if err != nil {
		return ImageOrigin{}, err
	}
	key, err := image.StandInKey(r.Root)
	return ImageOrigin{Ref: image.Ref, MadeOf: image.MadeOf, Key: key}, err
}

// OwnArchive returns the path of an archive with an image that no registry has, for those who bring their own cluster.
func OwnArchive(ctx context.Context, ref string, out io.Writer) (path string, err error) {
	err = with(out, func(r *Rig) error {
		for _, image := range testimages.All {
			if image.Ref == ref {
				path, err = image.Archive(ctx, testimages.Env{Root: r.Root, Cache: r.Cache, Log: r.Reporter.Log()})
			}
		}
		return err
	})
	return path, err
}

// prepareStandIns returns what makes the stand-ins that are not there, to be called at the same time: those that are
// compiled take the processor, those of Debian's packages mostly wait.
func (r *Rig) prepareStandIns(ctx context.Context) (lanes []func(context.Context) error) {
	env := testimages.Env{Root: r.Root, Cache: r.Cache, Log: r.Reporter.Log()}
	var compiled, unpacked []testimages.Image
	for _, image := range r.Images {
		switch {
		case image.Made(env):
		case image.Compiled() > 0:
			compiled = append(compiled, image)
		default:
			unpacked = append(unpacked, image)
		}
	}
	for title, images := range map[string][]testimages.Image{
		"Stand-ins for images, compiled": compiled, "Stand-ins for images, from Debian": unpacked,
	} {
		if len(images) == 0 {
			continue
		}
		r.Reporter.Plan(1)
		lanes = append(lanes, func(ctx context.Context) error {
			return r.Reporter.Step(ctx, title, func(ctx context.Context, step *progress.Step) error {
				for _, image := range images {
					step.Is("%s", image.Ref)
					if _, err := image.Archive(ctx, env); err != nil {
						return fmt.Errorf("%s: %w", image.Ref, err)
					}
				}
				return nil
			})
		})
	}
	return lanes
}

// loadShipped imports the archive of an image that is shipped, and gives it the name by its digest that it has where it was pulled:
// a pod's status then tells of that digest.
func (r *Rig) loadShipped(ctx context.Context, step *progress.Step, node string, image testimages.Image, archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	shipped, err := image.Image(ctx, testimages.Env{Root: r.Root, Cache: r.Cache, Log: step.Log()})
	if err != nil {
		return err
	}
	digest, err := shipped.Digest()
	if err != nil {
		return err
	}
	repository, _, _ := strings.Cut(image.Ref, ":")
	ctr := []string{"docker", "exec", "-i", node, "ctr", "--namespace=k8s.io", "images"}
	if _, err := proc.Run(ctx, proc.Cmd{Args: append(slices.Clone(ctr), "import", "-"), Stdin: file, Log: step.Log()}); err != nil {
		return err
	}
	_, err = proc.Run(ctx, proc.Cmd{Args: append(slices.Clone(ctr), "tag", "--force", image.Ref, repository+"@"+digest.String()), Log: step.Log()})
	return err
}

// loadArchive imports an image archive into the node's containerd.
func loadArchive(node, path string) error {
	provider := cluster.NewProvider(cluster.ProviderWithDocker())
	nodes, err := provider.ListInternalNodes(Name())
	if err != nil {
		return kindError(err)
	}
	for _, n := range nodes {
		if n.String() != node {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return kindError(nodeutils.LoadImageArchive(n, f))
	}
	return fmt.Errorf("cluster %s has no node %s", Name(), node)
}

// commandError is an error of kind's with what the command that failed had printed.
type commandError struct {
	error
	printed string
}

// Output gives what the command printed; a progress step shows it.
func (e commandError) Output() string { return e.printed }

// Unwrap gives kind's error.
func (e commandError) Unwrap() error { return e.error }

func kindError(err error) error {
	if err == nil {
		return nil
	}
	if failed := kindexec.RunErrorForError(err); failed != nil {
		return commandError{err, string(failed.Output)}
	}
	if printed := proc.Printed(err); printed != "" {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return err
}

// kindLogger is kind's log, in the log file.
type kindLogger struct{ out io.Writer }

func (l kindLogger) Warn(message string)         { fmt.Fprintln(l.out, "kind:", message) }
func (l kindLogger) Warnf(f string, args ...any) { l.Warn(fmt.Sprintf(f, args...)) }
func (l kindLogger) Error(message string)        { l.Warn(message) }
func (l kindLogger) Errorf(f string, args ...any) {
	l.Warn(fmt.Sprintf(f, args...))
}
func (l kindLogger) V(log.Level) log.InfoLogger { return kindInfo(l) }

type kindInfo struct{ out io.Writer }

func (i kindInfo) Info(message string)         { fmt.Fprintln(i.out, "kind:", message) }
func (i kindInfo) Infof(f string, args ...any) { i.Info(fmt.Sprintf(f, args...)) }
func (i kindInfo) Enabled() bool               { return true }

// Shipped returns the image of the program, as a registry has it for this machine's architecture.
func Shipped(ctx context.Context, out io.Writer) (shipped v1.Image, err error) {
	err = with(out, func(r *Rig) error {
		shipped, err = testimages.Outrigger.Image(ctx, testimages.Env{Root: r.Root, Cache: r.Cache, Log: r.Reporter.Log()})
		return err
	})
	return shipped, err
}
