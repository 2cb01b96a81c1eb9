package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/ci/testimages"
)

const (
	demoChart     = "charts/logging-app"
	demoRelease   = "demo"
	demoNamespace = "outrigger-demo"
)

// kube calls helm and kubectl for one cluster.
type kube struct {
	rig     *rig.Rig
	cluster *rig.Cluster
	tools   string // the directory that holds both
}

// newKube makes the cluster and the tools ready.
func newKube(ctx context.Context, r *rig.Rig) (*kube, error) {
	r.Besides = append(r.Besides, r.Prepare("helm"))
	c, err := r.Ensure(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := r.Tools(ctx)
	return &kube{rig: r, cluster: c, tools: dir}, err
}

func (k *kube) run(ctx context.Context, stdin string, args ...string) (string, error) {
	args[0] = filepath.Join(k.tools, args[0])
	return proc.Run(ctx, proc.Cmd{
		Args: args, Dir: k.rig.Root, Log: k.rig.Reporter.Log(), Stdin: strings.NewReader(stdin),
		Env: []string{"KUBECONFIG=" + k.cluster.Kubeconfig, "HELM_KUBECONTEXT=" + k.cluster.Context},
	})
}

func (k *kube) helm(ctx context.Context, args ...string) (string, error) {
	return k.run(ctx, "", append([]string{"helm"}, args...)...)
}

func (k *kube) kubectl(ctx context.Context, args ...string) (string, error) {
	return k.kubectlWith(ctx, "", args...)
}

func (k *kube) kubectlWith(ctx context.Context, stdin string, args ...string) (string, error) {
	return k.run(ctx, stdin, append([]string{"kubectl", "--context", k.cluster.Context}, args...)...)
}

// demo installs the example chart into the cluster and shows what its sidecars do.
func demo(ctx context.Context, r *rig.Rig) error {
	r.Reporter.Plan(1)
	r.Images = testimages.Demo
	k, err := newKube(ctx, r)
	if err != nil {
		return err
	}
	if err := r.Reporter.Step(ctx, "Install "+demoChart, k.installDemo); err != nil {
		return err
	}
	pods, err := k.kubectl(ctx, "get", "pods", "--namespace", demoNamespace)
	if err != nil {
		return err
	}
	r.Reporter.Say("\nThe pods of %s, in namespace %s, which enforces the restricted Pod Security Standard:\n\n%s", demoChart, demoNamespace, pods)
	if err := k.showSidecars(ctx); err != nil {
		return err
	}
	k.sayMore()
	return nil
}

// namespaceManifest is the demo's namespace: what runs in it has to satisfy the restricted standard.
const namespaceManifest = `apiVersion: v1
kind: Namespace
metadata:
  name: ` + demoNamespace + `
  labels:
    pod-security.kubernetes.io/enforce: restricted
`

func (k *kube) installDemo(ctx context.Context, s *progress.Step) error {
	s.Is("helm dependency update")
	if _, err := k.helm(ctx, "dependency", "update", "--skip-refresh", demoChart); err != nil {
		return err
	}
	if _, err := k.kubectlWith(ctx, namespaceManifest, "apply", "--filename", "-"); err != nil {
		return err
	}
	s.Is("helm upgrade --install")
	_, err := k.helm(ctx, "upgrade", "--install", demoRelease, demoChart, "--namespace", demoNamespace,
		"--wait", "--wait-for-jobs", "--timeout", "3m")
	return err
}

// pod has what is needed of a pod to find its sidecar.
type pod struct {
	Metadata struct{ Name string }
	Spec     struct {
		InitContainers []struct{ Name, RestartPolicy string }
	}
}

// sidecar returns the name of the pod's first native sidecar, or "".
func (p pod) sidecar() string {
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy == "Always" {
			return c.Name
		}
	}
	return ""
}

func (k *kube) showSidecars(ctx context.Context) error {
	out, err := k.kubectl(ctx, "get", "pods", "--namespace", demoNamespace, "--output", "json")
	if err != nil {
		return err
	}
	var pods struct{ Items []pod }
	if err := json.Unmarshal([]byte(out), &pods); err != nil {
		return err
	}
	for _, p := range pods.Items {
		if p.sidecar() == "" {
			continue
		}
		lines, err := k.firstLines(ctx, p)
		if err != nil {
			return err
		}
		k.rig.Reporter.Say("\nkubectl logs %s --container %s:\n%s", p.Metadata.Name, p.sidecar(), lines)
	}
	return nil
}

// firstLines waits for the first lines of a pod's sidecar, and returns them indented.
func (k *kube) firstLines(ctx context.Context, p pod) (string, error) {
	for end := time.Now().Add(30 * time.Second); ; {
		out, err := k.kubectl(ctx, "logs", p.Metadata.Name, "--namespace", demoNamespace, "--container", p.sidecar(), "--limit-bytes=2000")
		if err != nil {
			return "", err
		}
		if out != "" {
			lines := strings.Split(out, "\n")
			return "    " + strings.Join(lines[:min(5, len(lines))], "\n    "), nil
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("the sidecar of %s has shipped nothing for 30 s", p.Metadata.Name)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (k *kube) sayMore() {
	k.rig.Reporter.Say(`
Up after %s. To look further:
  export PATH=%s:$PATH KUBECONFIG=%s
  kubectl config use-context %s
  kubectl --namespace %s get pods
  kubectl --namespace %[5]s logs --follow deployment/%s-%s --all-containers
  helm --namespace %[5]s get manifest %[6]s
To remove the demo:        helm --namespace %[5]s uninstall %[6]s
To remove cluster, images: make clean`,
		progress.Short(k.rig.Reporter.Elapsed()), k.tools, k.cluster.Kubeconfig, k.cluster.Context,
		demoNamespace, demoRelease, filepath.Base(demoChart))
}
