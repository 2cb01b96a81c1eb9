package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
)

// kubeClient asks a cluster by kubectl.
type kubeClient struct {
	kubectl string
	cluster Cluster
}

func (k kubeClient) get(ctx context.Context, into any, args ...string) error {
	args = append([]string{
		k.kubectl, "--kubeconfig", k.cluster.Kubeconfig, "--context", k.cluster.Context,
		"--request-timeout=5s", "get", "--output=json",
	}, args...)
	out, err := proc.Output(ctx, args...)
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(proc.Printed(err)))
	}
	return json.Unmarshal([]byte(out), into)
}

// object has those fields of nodes, leases and pods that tell whether they are well.
type object struct {
	Metadata struct{ Name string }
	Spec     struct{ RenewTime time.Time }
	Status   struct {
		Conditions        []struct{ Type, Status string }
		ContainerStatuses []struct {
			State struct {
				Running *struct{ StartedAt time.Time }
			}
		}
	}
}

// ready tells whether an object's condition Ready is true.
func (o object) ready() bool {
	for _, c := range o.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return false
}

type list struct{ Items []object }

// healthy returns nil if the cluster can run pods: its nodes are Ready, DNS answers, and the default
// service account exists. After a restart the cluster tells for a while what was so before it: what is
// older than since, when the node started, does not count.
func healthy(ctx context.Context, k kubeClient, since time.Time) error {
	if err := nodesReady(ctx, k, since); err != nil {
		return err
	}
	if err := dnsReady(ctx, k, since); err != nil {
		return err
	}
	var account object
	return k.get(ctx, &account, "serviceaccount", "default", "--namespace=default")
}

func nodesReady(ctx context.Context, k kubeClient, since time.Time) error {
	var nodes list
	if err := k.get(ctx, &nodes, "nodes"); err != nil {
		return err
	}
	if len(nodes.Items) == 0 {
		return fmt.Errorf("no node has registered")
	}
	for _, node := range nodes.Items {
		if !node.ready() {
			return fmt.Errorf("node %s is not Ready", node.Metadata.Name)
		}
	}
	var leases list
	if err := k.get(ctx, &leases, "leases", "--namespace=kube-node-lease"); err != nil {
		return err
	}
	for _, lease := range leases.Items {
		if lease.Spec.RenewTime.Before(since) {
			return fmt.Errorf("the kubelet of node %s has not reported since it was started", lease.Metadata.Name)
		}
	}
	return nil
}

func dnsReady(ctx context.Context, k kubeClient, since time.Time) error {
	var pods list
	if err := k.get(ctx, &pods, "pods", "--namespace=kube-system", "--selector=k8s-app=kube-dns"); err != nil {
		return err
	}
	if len(pods.Items) == 0 {
		return fmt.Errorf("there is no CoreDNS")
	}
	for _, pod := range pods.Items {
		for _, c := range pod.Status.ContainerStatuses {
			// The API's times are in whole seconds.
			if r := c.State.Running; r == nil || r.StartedAt.Before(since.Truncate(time.Second)) {
				return fmt.Errorf("pod %s has not been started", pod.Metadata.Name)
			}
		}
		if !pod.ready() {
			return fmt.Errorf("pod %s is not Ready", pod.Metadata.Name)
		}
	}
	return nil
}

func awaitHealthy(ctx context.Context, step *progress.Step, k kubeClient, since time.Time, limit time.Duration) error {
	for end := time.Now().Add(limit); ; {
		err := healthy(ctx, k, since)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(end) {
			return err
		}
		reason, _, _ := strings.Cut(err.Error(), "\n")
		step.Is("waiting: %s", reason)
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}
