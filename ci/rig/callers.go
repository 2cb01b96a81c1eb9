package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/outrigger-charts/outrigger/ci/proc"
)

// callersCluster returns the cluster that the environment names, or nil. The kind cluster's own
// kubeconfig, which a person may have set to look around, does not make it the caller's.
func (r *Rig) callersCluster() *Cluster {
	config, name := os.Getenv("KUBECONFIG"), os.Getenv("OUTRIGGER_KUBE_CONTEXT")
	if config == r.OwnKubeconfig() {
		config = ""
	}
	if config == "" && name == "" {
		return nil
	}
	if config == "" {
		config = filepath.Join(os.Getenv("HOME"), ".kube", "config") // kubectl's default
	}
	return &Cluster{Kubeconfig: config, Context: name, Origin: Callers}
}

// checkCallers finds the context, if the caller names none, and sees whether the cluster answers.
func (r *Rig) checkCallers(ctx context.Context, c *Cluster) error {
	kubectl, err := r.tool(ctx, "kubectl")
	if err != nil {
		return err
	}
	env := []string{"KUBECONFIG=" + c.Kubeconfig} // which may be a list, as --kubeconfig may not
	ask := func(args ...string) (string, error) {
		return proc.Run(ctx, proc.Cmd{Args: append([]string{kubectl}, args...), Env: env, Log: r.Reporter.Log()})
	}
	if c.Context == "" {
		if c.Context, err = ask("config", "current-context"); err != nil {
			return fmt.Errorf("KUBECONFIG=%s names no current context; set OUTRIGGER_KUBE_CONTEXT: %w", c.Kubeconfig, err)
		}
	}
	if _, err := ask("--context", c.Context, "--request-timeout=15s", "get", "--raw", "/readyz"); err != nil {
		return fmt.Errorf("the cluster that KUBECONFIG or OUTRIGGER_KUBE_CONTEXT names (%s, context %s) does not answer: %w\n%s",
			c.Kubeconfig, c.Context, err, proc.Printed(err))
	}
	r.Reporter.Say("Cluster: the caller's, context %s of %s", c.Context, c.Kubeconfig)
	return nil
}
