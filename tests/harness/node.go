package harness

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NodeStart is how long a node may take to be back after its restart.
const NodeStart = 3 * time.Minute

// RestartNode restarts the cluster's node, and returns when its API server answers and its kubelet has said since that
// the node is ready. A caller's cluster is not restarted: there the test is skipped, and `make test` does not run it.
func (n *Namespace) RestartNode() {
	n.t.Helper()
	if cluster.Node == "" {
		n.t.Skip("this restarts the node of a kind cluster of this machine, and the cluster is the caller's")
	}
	began := time.Now().Truncate(time.Second)
	output, err := exec.Command("docker", "restart", cluster.Node).CombinedOutput()
	require.NoError(n.t, err, "%s", output)
	n.Eventually(NodeStart, "the node is ready again", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		nodes, err := n.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil || len(nodes.Items) != 1 {
			return false
		}
		for _, condition := range nodes.Items[0].Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status == corev1.ConditionTrue && condition.LastHeartbeatTime.After(began)
			}
		}
		return false
	})
}

// Pod returns a pod by its name, or false while it cannot be asked for.
func (n *Namespace) Pod(t testing.TB, name string) (corev1.Pod, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	pod, err := n.Client.CoreV1().Pods(n.Name).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return corev1.Pod{}, false
	}
	return *pod, true
}
