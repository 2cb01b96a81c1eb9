package harness

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stretchr/testify/require"
)

// ProcessorTime returns what the containers of a pod have used so far, by their names, as the kubelet counts it: what is run in
// a container by a probe too.
func (n *Namespace) ProcessorTime(pod string) map[string]time.Duration {
	n.t.Helper()
	found, present := n.Pod(n.t, pod)
	require.True(n.t, present, pod)
	text, err := n.Client.CoreV1().RESTClient().Get().Resource("nodes").Name(found.Spec.NodeName).SubResource("proxy", "stats", "summary").
		Param("only_cpu_and_memory", "true").DoRaw(context.Background())
	require.NoError(n.t, err)
	var summary struct {
		Pods []struct {
			PodRef     struct{ Name, Namespace string }
			Containers []struct {
				Name string
				CPU  struct{ UsageCoreNanoSeconds int64 }
			}
		}
	}
	require.NoError(n.t, json.Unmarshal(text, &summary))
	used := map[string]time.Duration{}
	for _, of := range summary.Pods {
		if of.PodRef.Name == pod && of.PodRef.Namespace == n.Name {
			for _, container := range of.Containers {
				used[container.Name] = time.Duration(container.CPU.UsageCoreNanoSeconds)
			}
		}
	}
	require.NotEmpty(n.t, used, "%s", text)
	return used
}
