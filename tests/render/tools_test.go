package render

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/outrigger-charts/outrigger/ci/rig"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// copyTools runs the command of a rendered pod's outrigger-tools, with a busybox in place of the image's and a folder in place
// of the pod's /outrigger-tools, and returns what it said.
func copyTools(t *testing.T, busybox, folder string) (said string, err error) {
	t.Helper()
	objects := harness.Consumer(t).Render(t, `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "app:1"}]}}
outrigger:
  images: {busybox: "registry.example/busybox:1"}
  volumes: {logs: {mountPath: /logs}}
  logshippers: {ship: {files: [/logs/app.log], to: {otlphttp: {endpoint: "http://backend:4318"}}}}
`)
	container := harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Spec.InitContainers[0]
	require.Equal(t, "outrigger-tools", container.Name)
	require.Empty(t, container.Args)
	var words []string
	for _, word := range container.Command {
		words = append(words, strings.NewReplacer("/bin/busybox", busybox, "/outrigger-tools", folder).Replace(word))
	}
	output, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	return string(output), err
}

func staticBusyBox(t *testing.T) string {
	t.Helper()
	path, err := rig.BusyBox(context.Background(), os.Stderr)
	require.NoError(t, err)
	return path
}

func TestAStaticBusyBoxIsCopiedWithALinkForEachOfItsTools(t *testing.T) {
	t.Parallel()
	busybox, folder := staticBusyBox(t), t.TempDir()

	said, err := copyTools(t, busybox, folder)

	require.NoError(t, err, said)
	assert.Empty(t, said)
	want, err := os.ReadFile(busybox)
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join(folder, "busybox"))
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "it is the image's")
	greeting, err := exec.Command(filepath.Join(folder, "echo"), "hello").CombinedOutput()
	assert.Equal(t, "hello\n", string(greeting), err)
}

func TestToolsThatAreThereAreNoErrorWhenThePodsSandboxIsMadeAnew(t *testing.T) {
	t.Parallel()
	busybox, folder := staticBusyBox(t), t.TempDir()
	for range 2 {
		said, err := copyTools(t, busybox, folder)
		require.NoError(t, err, said)
		require.Empty(t, said)
	}
}

func TestADynamicBusyBoxIsRefusedInALineThatSaysWhatToSet(t *testing.T) {
	t.Parallel()
	root, err := rig.DynamicBusyBox(context.Background(), os.Stderr)
	require.NoError(t, err)
	linkers, err := filepath.Glob(root + "/usr/lib*/ld-linux-*.so.*")
	require.NoError(t, err)
	libraries, err := filepath.Glob(root + "/usr/lib/*-linux-gnu*")
	require.NoError(t, err)
	busybox, folder := filepath.Join(t.TempDir(), "busybox"), t.TempDir()
	start := fmt.Sprintf("#!/bin/sh\nexec %s --library-path %s %s/usr/bin/busybox \"$@\"\n", linkers[0], libraries[0], root)
	require.NoError(t, os.WriteFile(busybox, []byte(start), 0o755))

	said, err := copyTools(t, busybox, folder)

	assert.ErrorContains(t, err, "exit status 1")
	assert.Equal(t, "outrigger.images.busybox: the busybox of registry.example/busybox:1 is linked dynamically, so that it starts in no other image; "+
		"set an image with a static one: of upstream's, a tag that ends in -musl\n", said)
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, files)
}
