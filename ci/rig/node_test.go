package rig

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outrigger-charts/outrigger/ci/image"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/testimages"
)

// An image of the tests' own is neither pulled nor a sign that no registry can be reached.
func TestTheTestsOwnImagesAreNotPulled(t *testing.T) {
	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	docker := "#!/bin/sh\necho \"$@\" >> " + called + "\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(docker), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("OUTRIGGER_CACHE", t.TempDir())
	r, err := Open(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for ref, want := range map[string]bool{testimages.BackendRef: false, testimages.TokenServerRef: false, "docker.io/library/other:1": true} {
		_ = os.Remove(called)
		made, offline := false, false
		fake := testimages.Image{Ref: ref, StandIn: func(context.Context, testimages.Env) (image.Spec, error) {
			made = true
			return image.Spec{Files: image.NewFiles()}, nil
		}}
		_ = r.Reporter.Step(context.Background(), "test", func(ctx context.Context, step *progress.Step) error {
			_, err := r.loadImage(ctx, step, "node", fake, &offline)
			return err // there is no node to load it into
		})
		calls, _ := os.ReadFile(called)
		if pulled := strings.Contains(string(calls), "pull"); pulled != want || offline != want || !made {
			t.Errorf("%s: pulled %v, then offline %v, made %v: %s", ref, pulled, offline, made, calls)
		}
	}
}
