package restart

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestAfterARestartOfTheNodeAnAppReachesItsDatabaseWithANewToken(t *testing.T) {
	namespace := harness.NewNamespace(t, harness.Restricted)
	rds := namespace.OwnTokenServer("tokenLifetime=30s")
	namespace.Install("demo", harness.Consumer(t).Write(t), rds.Beside(`
trap 'exit 0' TERM INT
psql -Atc "select 'answered'" || exit 1
while true; do sleep 1 & wait $!; done
`, "ttl: 30s"))
	before := namespace.ReadyPods("app=web", 1)[0]

	namespace.RestartNode()

	var after corev1.Pod
	namespace.Eventually(harness.PodStart, "every container has started again and the pod is ready", func() bool {
		pod, found := namespace.Pod(t, before.Name)
		after = pod
		if !found || pod.Status.Phase != corev1.PodRunning {
			return false
		}
		for _, name := range []string{"db", "proxy", "app"} {
			status := harness.Status(t, pod, name)
			if status.RestartCount == 0 || !status.Ready {
				return false
			}
		}
		return true
	})
	assert.Equal(t, before.UID, after.UID, "it is the same pod")
	namespace.Eventually(harness.LogLine, "the app's question is answered", func() bool {
		return strings.TrimSpace(namespace.Logs(after.Name, "app")) == "answered"
	})
	rds.Wait(harness.PodStart, "tokens=2")
	assert.Empty(t, rds.Report().Refused)
}
