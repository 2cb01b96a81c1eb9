package e2e

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// What `make test` has rendered without a cluster, for any version of Kubernetes.
func TestTheAPIServerAcceptsStrictlyWhatAnyTestRenders(t *testing.T) {
	harness.Facts(t)
	documents := harness.ReadRendered(t)
	require.GreaterOrEqual(t, len(documents), 180, "documents: the tests of tests/render have not all left theirs")
	server := harness.DefaultNamespace(t).DryRun(t)
	var (
		group                         sync.WaitGroup
		queue                         = make(chan harness.Rendered)
		submitted, fragments, foreign atomic.Int32
		began                         = time.Now()
	)
	for range 8 {
		group.Go(func() {
			for document := range queue {
				told := fmt.Sprintf("rendered by %s for %s:\n%s", document.Test, document.KubeVersion, document.Document)
				var object map[string]any
				if !assert.NoError(t, yaml.UnmarshalStrict([]byte(document.Document), &object), told) {
					continue
				}
				if object["apiVersion"] == nil && object["kind"] == nil {
					fragments.Add(1)
					continue
				}
				if object["kind"] == "PodMonitor" || object["kind"] == "PrometheusRule" { // tests/render puts it to the Prometheus operator's own types
					fragments.Add(1)
					continue
				}
				if template := podTemplateOf(object); template != nil && !server.Serves(object) {
					foreign.Add(1)
					object = podOf(template)
				}
				submitted.Add(1)
				assert.NoError(t, server.Create(object), told)
			}
		})
	}
	for _, document := range documents {
		queue <- document
	}
	close(queue)
	group.Wait()

	t.Logf("%d objects in %s, %d of them the pods of kinds that the cluster does not serve; %d left out: no objects, or the Prometheus operator's",
		submitted.Load(), time.Since(began).Round(100*time.Millisecond), foreign.Load(), fragments.Load())
}

// podOf returns a pod as a pod template has it, with fields that no type knows.
func podOf(template map[string]any) map[string]any {
	metadata := map[string]any{"generateName": "p-"}
	if given, ok := template["metadata"].(map[string]any); ok {
		maps.Copy(metadata, given)
	}
	pod := maps.Clone(template)
	maps.Copy(pod, map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": metadata})
	return pod
}
