package restart

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func anAppReachesItsDatabase(t *testing.T, namespace *harness.Namespace) func(*testing.T, *harness.Namespace) {
	rds := namespace.OwnTokenServer("tokenLifetime=30s")
	namespace.Install("demo", harness.Consumer(t).Write(t), rds.Beside(`
trap 'exit 0' TERM INT
psql -Atc "select 'answered'" || exit 1
while true; do sleep 1 & wait $!; done
`, "ttl: 30s"))
	before := namespace.ReadyPods("app=web", 1)[0]

	return func(t *testing.T, namespace *harness.Namespace) {
		after, rds := startedAgain(t, namespace, before, []string{"db", "proxy", "app"}), rds.As(t)
		namespace.Eventually(harness.LogLine, "the app's question is answered", func() bool {
			return strings.TrimSpace(namespace.Logs(after.Name, "app")) == "answered"
		})
		rds.Wait(harness.PodStart, "tokens=2")
		assert.Empty(t, rds.Report().Refused)
	}
}
