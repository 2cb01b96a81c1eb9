package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// The node is given as many of a resource as outrigger.effectiveResources says that the pod needs, then one less: the
// scheduler binds the pod in the one case and not in the other.
func TestTheSchedulerBooksWhatEffectiveResourcesSays(t *testing.T) {
	harness.Facts(t)
	const resource = "outrigger.test/seats"
	quantities := func(seats int) string {
		return fmt.Sprintf(`{requests: {%[1]s: "%[2]d"}, limits: {%[1]s: "%[2]d"}}`, resource, seats)
	}
	// KEP-753: the init container `migrate` (7) runs beside `early` (2), but not beside `late` (4): 9. The app (3) runs
	// beside both: 9 too, less than with `big`, which needs 2 + 8 = 10 before the app starts.
	values := restrictedApp(serving) + `
  containers:
    early: {image: &image docker.io/library/busybox:1.37.0-musl, command: &stays [sh, -c, "trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done"], order: 1, resources: ` + quantities(2) + `}
    big: {image: *image, kind: init, command: ["true"], order: 2, resources: ` + quantities(8) + `}
    late: {image: *image, command: *stays, order: 3, resources: ` + quantities(4) + `}
`
	values = strings.Replace(values, "        command:\n", "        resources: "+quantities(3)+"\n        command:\n", 1)
	chart := harness.Consumer(t).With(map[string]string{"templates/resources.yaml": `
apiVersion: v1
kind: ConfigMap
metadata: {name: resources}
data:
  resources: |
    {{- include "outrigger.effectiveResources" (dict "context" . "podTemplate" .Values.pod "workload" "web") | nindent 4 }}
`})
	var effective struct{ Requests map[string]string }
	for _, configMap := range chart.Render(t, values) {
		if configMap, ok := configMap.(*corev1.ConfigMap); ok && configMap.Name == "resources" {
			require.NoError(t, yaml.Unmarshal([]byte(configMap.Data["resources"]), &effective))
		}
	}
	require.Equal(t, "10", effective.Requests[resource])

	namespace := harness.NewNamespace(t, harness.Restricted)
	setSeats := func(seats string) {
		nodes, err := namespace.Client.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
		require.NoError(t, err)
		patch := fmt.Sprintf(`{"status":{"capacity":{%q:%q},"allocatable":{%q:%q}}}`, resource, seats, resource, seats)
		for _, node := range nodes.Items {
			_, err := namespace.Client.CoreV1().Nodes().Patch(context.Background(), node.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
			require.NoError(t, err)
		}
	}
	t.Cleanup(func() { setSeats("0") })

	setSeats("9")
	namespace.Install("demo", chart.Write(t), values)
	namespace.Eventually(harness.PodStart, "the scheduler to say that 9 are too few", func() bool {
		for _, pod := range namespace.Pods(web) {
			for _, condition := range pod.Status.Conditions {
				if condition.Reason == corev1.PodReasonUnschedulable && strings.Contains(condition.Message, "Insufficient "+resource) {
					return true
				}
			}
		}
		return false
	})
	setSeats("10")

	// A kubelet that has not heard of it yet refuses the pod, and the Deployment makes another.
	namespace.Kubectl("wait", "deployment/web", "--for=condition=Available", "--timeout="+harness.PodStart.String())
}
