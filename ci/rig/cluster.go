package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/engine"
	"github.com/outrigger-charts/outrigger/ci/nodeimage"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/tools"
)

// Where a cluster is from: Cluster.Origin.
const (
	Callers      = "the caller's"
	KindestNode  = "kindest/node image"
	BuiltLocally = "node image built on this machine"
)

// Cluster is a cluster that tests can use.
type Cluster struct {
	Kubeconfig string // path of a kubeconfig file (for a caller's cluster, what KUBECONFIG says)
	Context    string // its context
	Origin     string // Callers, KindestNode or BuiltLocally
	Node       string // the Docker container that is the node; "" for a caller's cluster
	NodeImage  string // the image of the node; "" for a caller's cluster
	// Images tells of each of the tests' images where the node has it from. For a caller's cluster it is
	// empty: its nodes pull what they can, and the tests' own have to be loaded by the caller.
	Images []ImageOrigin
}

// ImageOrigin tells where the cluster's node has an image of the tests from.
type ImageOrigin struct {
	Ref      string
	Upstream bool   // pulled, not a stand-in and not the tests' own
	MadeOf   string // what the stand-in is made of; "" if it is upstream's
	Key      string // what the stand-in is made from; "" if it is upstream's
}

// state is what is remembered of a kind cluster, in a file beside its kubeconfig.
type state struct {
	Key       string // what the cluster was made from
	Container string // the node container's id
	Cluster   Cluster
}

// readyLimit is how long a cluster may take to be healthy after its node started. On two cores it
// takes some 20 s; kindest/node unpacks more images than ours.
const readyLimit = 3 * time.Minute

// Name is the name of the kind cluster: OUTRIGGER_CLUSTER, or outrigger.
func Name() string {
	if name := os.Getenv("OUTRIGGER_CLUSTER"); name != "" {
		return name
	}
	return "outrigger"
}

func (r *Rig) clusterDir() string { return filepath.Join(r.Cache, "clusters", Name()) }

// OwnKubeconfig is the kubeconfig file of the kind cluster, whether there is one or not.
func (r *Rig) OwnKubeconfig() string { return filepath.Join(r.clusterDir(), "kubeconfig") }

func (r *Rig) statePath() string { return filepath.Join(r.clusterDir(), "state.json") }

func (r *Rig) readState() (state, bool) {
	var s state
	b, err := os.ReadFile(r.statePath())
	if err != nil || json.Unmarshal(b, &s) != nil {
		return state{}, false
	}
	return s, true
}

func (r *Rig) writeState(s state) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp := r.statePath() + ".tmp"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, r.statePath())
}

// HasCluster tells whether there is a kind cluster of the rig's, running or not.
func (r *Rig) HasCluster() bool {
	_, found := r.readState()
	return found
}

func (r *Rig) nodeImages() nodeimage.Builder {
	return nodeimage.Builder{Root: r.Root, Cache: r.Cache, Name: Name(), Tools: r.Builder, Reporter: r.Reporter}
}

// clusterKey is what a cluster of a node image is made from.
func (r *Rig) clusterKey(image string) (string, error) {
	kind, err := tools.Required(filepath.Join(r.Root, "go.mod"), "sigs.k8s.io/kind")
	if err != nil {
		return "", err
	}
	key := new(cache.Key).Add(Name(), kind, image)
	if err := key.AddFiles(filepath.Join(r.Root, configFile), filepath.Join(r.Root, "ci/rig/config.go")); err != nil {
		return "", err
	}
	return key.String(), nil
}

func (r *Rig) ensure(ctx context.Context) (*Cluster, error) {
	if c := r.callersCluster(); c != nil {
		return c, r.checkCallers(ctx, c)
	}
	if c := r.asIs(ctx); c != nil {
		return c, nil
	}
	if err := os.MkdirAll(r.clusterDir(), 0o755); err != nil {
		return nil, err
	}
	r.Reporter.Plan(4) // engine, choice, cluster, images
	var c *Cluster
	makeCluster := func(ctx context.Context) (err error) {
		c, err = r.makeCluster(ctx)
		return err
	}
	err := proc.Together(ctx, append(r.Besides, makeCluster)...)
	return c, err
}

func (r *Rig) makeCluster(ctx context.Context) (*Cluster, error) {
	if err := r.ensureEngine(ctx); err != nil {
		return nil, err
	}
	image, offline, err := r.chooseImage(ctx)
	if err != nil {
		return nil, err
	}
	var s state
	withImages := func(ctx context.Context) error {
		origin := KindestNode
		if offline {
			origin = BuiltLocally
			if err := r.buildNodeImage(ctx, image); err != nil {
				return err
			}
		}
		kubectl, err := r.tool(ctx, "kubectl")
		if err != nil {
			return err
		}
		if s, err = r.ensureCluster(ctx, kubectl, image, origin); err != nil {
			return err
		}
		return r.ensureImages(ctx, &s, offline)
	}
	lanes := []func(context.Context) error{withImages}
	if offline { // nothing can be pulled: what stands in is made while the cluster is, and loaded as it comes
		lanes = append(lanes, r.prepareStandIns(ctx)...)
	}
	err = proc.Together(ctx, lanes...)
	return &s.Cluster, err
}

// asIs returns the cluster of an earlier run, if it is exactly what would be made now and well. This is
// what every test binary after the first comes by, so it costs a second at most.
func (r *Rig) asIs(ctx context.Context) *Cluster {
	s, ok := r.readState()
	if !ok || !r.current(s) {
		return nil
	}
	n, err := inspectNode(ctx, s.Cluster.Node)
	if err != nil || n.id != s.Container || !n.running {
		return nil
	}
	kubectl, err := r.tool(ctx, "kubectl")
	if err != nil || healthy(ctx, kubeClient{kubectl, s.Cluster}, n.started) != nil {
		return nil
	}
	if r.imagesMissing(ctx, s) {
		return nil
	}
	c := s.Cluster
	return &c
}

// current tells whether a cluster is made from what a new one would be made from.
func (r *Rig) current(s state) bool {
	image := s.Cluster.NodeImage
	switch s.Cluster.Origin {
	case KindestNode:
		if image != wantedNodeImage() {
			return false
		}
	case BuiltLocally:
		if ref, err := r.nodeImages().Ref(); err != nil || image != ref {
			return false
		}
	}
	key, err := r.clusterKey(image)
	return err == nil && key == s.Key
}

func (r *Rig) ensureEngine(ctx context.Context) error {
	return r.Reporter.Step(ctx, "Docker engine", func(ctx context.Context, s *progress.Step) error {
		return engine.Ensure(ctx, func(ctx context.Context, path string) error {
			return tools.BuildOwn(ctx, s.Log(), r.Root, "./ci/cmd/runc-within-bounds", path)
		}, s)
	})
}

// ensureCluster revives the cluster of an earlier run, or makes a new one.
func (r *Rig) ensureCluster(ctx context.Context, kubectl, image, origin string) (s state, err error) {
	title := fmt.Sprintf("Cluster %s", Name())
	err = r.Reporter.Step(ctx, title, func(ctx context.Context, step *progress.Step) error {
		if old, ok := r.readState(); ok && r.current(old) {
			if s, ok = r.revive(ctx, step, kubectl, old); ok {
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		s, err = r.create(ctx, step, kubectl, image, origin)
		return err
	})
	return s, err
}

// revive brings a cluster of an earlier run back, whose node may have been stopped with the machine or
// the engine. It returns false if there is nothing to revive, or it does not get well in time.
func (r *Rig) revive(ctx context.Context, step *progress.Step, kubectl string, s state) (state, bool) {
	n, err := inspectNode(ctx, s.Cluster.Node)
	if err != nil || n.id != s.Container {
		return state{}, false
	}
	step.Reused()
	if !n.running {
		step.Is("starting the node again")
		if _, err := proc.Run(ctx, proc.Cmd{Args: []string{"docker", "start", s.Cluster.Node}, Log: step.Log()}); err != nil {
			return state{}, false
		}
		if n, err = inspectNode(ctx, s.Cluster.Node); err != nil {
			return state{}, false
		}
		step.Result("started again")
	}
	if err := awaitHealthy(ctx, step, kubeClient{kubectl, s.Cluster}, n.started, readyLimit/2); err != nil {
		fmt.Fprintf(step.Log(), "the cluster of an earlier run does not get well: %v\n", err)
		return state{}, false
	}
	return s, true
}

func (r *Rig) create(ctx context.Context, step *progress.Step, kubectl, image, origin string) (state, error) {
	key, err := r.clusterKey(image)
	if err != nil {
		return state{}, err
	}
	provider := cluster.NewProvider(cluster.ProviderWithDocker(), cluster.ProviderWithLogger(kindLogger{step.Log()}))
	_ = os.Remove(r.statePath()) // from here on the old cluster is no good
	step.Is("removing the old one")
	if err := provider.Delete(Name(), r.OwnKubeconfig()); err != nil {
		return state{}, kindError(err)
	}
	config, err := r.config(ctx, origin)
	if err != nil {
		return state{}, err
	}
	step.Is("creating")
	started := time.Now()
	if err := r.kindCreate(ctx, provider, cluster.CreateWithV1Alpha4Config(config),
		cluster.CreateWithNodeImage(image),
		cluster.CreateWithKubeconfigPath(r.OwnKubeconfig()),
	); err != nil {
		return state{}, err
	}
	s := state{Key: key, Cluster: Cluster{
		Kubeconfig: r.OwnKubeconfig(), Context: "kind-" + Name(), Origin: origin,
		Node: Name() + "-control-plane", NodeImage: image,
	}}
	n, err := inspectNode(ctx, s.Cluster.Node)
	if err != nil {
		return state{}, err
	}
	s.Container = n.id
	if err := awaitHealthy(ctx, step, kubeClient{kubectl, s.Cluster}, n.started, readyLimit); err != nil {
		return state{}, fmt.Errorf("the new cluster does not get ready: %w", err)
	}
	_ = r.removeNodeImages(ctx, image) // one that somebody else still uses stays
	step.Result("ready %s after its creation began, from %s", progress.Short(time.Since(started)), image)
	return s, r.writeState(s)
}

// kindCreate is the provider's Create, which knows no context: an interrupt takes the node away from
// under it.
func (r *Rig) kindCreate(ctx context.Context, provider *cluster.Provider, options ...cluster.CreateOption) error {
	created := make(chan error, 1)
	go func() { created <- provider.Create(Name(), options...) }()
	select {
	case err := <-created:
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), provider.Delete(Name(), r.OwnKubeconfig()))
		}
		return kindError(err)
	case <-ctx.Done():
		_ = provider.Delete(Name(), r.OwnKubeconfig())
		select {
		case <-created:
		case <-time.After(time.Minute):
		}
		_ = provider.Delete(Name(), r.OwnKubeconfig())
		return ctx.Err()
	}
}

// ensureImages sees to it that the node has the images. Offline says that a registry was
// tried in this run, in vain.
func (r *Rig) ensureImages(ctx context.Context, s *state, offline bool) error {
	return r.Reporter.Step(ctx, "Images of the tests", func(ctx context.Context, step *progress.Step) error {
		return r.loadImages(ctx, step, s, r.Images, offline)
	})
}
