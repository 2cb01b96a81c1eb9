package rig

import (
	"context"
	"io"
	"testing"
)

func TestOnlyTheImageBuiltHereLeavesOutKindsNetwork(t *testing.T) {
	t.Setenv("OUTRIGGER_CACHE", t.TempDir())
	r, err := Open(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for origin, want := range map[string]bool{BuiltLocally: true, KindestNode: false} {
		c, err := r.config(context.Background(), origin)
		if err != nil {
			t.Fatal(err)
		}
		if c.Networking.DisableDefaultCNI != want {
			t.Errorf("%s: disableDefaultCNI is %v", origin, c.Networking.DisableDefaultCNI)
		}
	}
}

func TestTheOwnKubeconfigIsNoCallersCluster(t *testing.T) {
	t.Setenv("OUTRIGGER_CACHE", t.TempDir())
	t.Setenv("OUTRIGGER_KUBE_CONTEXT", "")
	t.Setenv("HOME", "/home/u")
	r, err := Open(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for config, want := range map[string]string{"": "", r.OwnKubeconfig(): "", "/elsewhere": "/elsewhere"} {
		t.Setenv("KUBECONFIG", config)
		got := ""
		if c := r.callersCluster(); c != nil {
			got = c.Kubeconfig
		}
		if got != want {
			t.Errorf("KUBECONFIG=%s: %q, want %q", config, got, want)
		}
	}
	t.Setenv("KUBECONFIG", "")
	t.Setenv("OUTRIGGER_KUBE_CONTEXT", "mine")
	if c := r.callersCluster(); c == nil || c.Context != "mine" || c.Kubeconfig != "/home/u/.kube/config" {
		t.Errorf("got %+v", c)
	}
}
