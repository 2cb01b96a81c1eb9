package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// The chart's own container is not restricted, so its namespace is at baseline.
func TestTheReadmesDiffGivesAChartOfHelmCreateASidecar(t *testing.T) {
	harness.Facts(t)
	folder := t.TempDir()
	run := func(stdin, name string, args ...string) {
		t.Helper()
		command := exec.Command(name, args...)
		command.Dir, command.Stdin = folder, strings.NewReader(stdin)
		output, err := command.CombinedOutput()
		require.NoError(t, err, "%s %v:\n%s", name, args, output)
	}
	readme, err := os.ReadFile(filepath.Join(harness.Root(), "README.md"))
	require.NoError(t, err)
	diffs := regexp.MustCompile("(?s)```diff\n(.*?)```").FindStringSubmatch(string(readme))
	require.Len(t, diffs, 2, "the README shows one diff")
	require.NoError(t, os.Symlink(harness.Root(), filepath.Join(folder, "outrigger")))

	run("", "helm", "create", "shop")
	run(diffs[1], "git", "apply", "-p0", "-")
	run("", "helm", "dependency", "build", "shop")
	namespace := harness.NewNamespace(t, harness.Baseline)
	namespace.Install("shop", filepath.Join(folder, "shop"), "")
	pod := namespace.ReadyPods("app.kubernetes.io/name=shop", 1)[0]
	stream := namespace.Follow(pod.Name, "access-log")

	namespace.Eventually(harness.LogLine, "the kubelet's probes are in the access log", func() bool {
		return strings.Contains(strings.Join(stream.Texts(), "\n"), "kube-probe/")
	})
	assert.Empty(t, namespace.Logs(pod.Name, "shop"), "the access log went to the file, and so to the sidecar")
}
