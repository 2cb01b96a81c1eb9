package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// What a pod's sidecars do travels with the pod: whatever an upgrade brings, those that run keep what they were given.
func TestAnUpgradeWhosePodsFailHarmsNoneThatRun(t *testing.T) {
	harness.Facts(t)
	const lifetime = 20
	namespace, rds := newRDS(t)
	rds.Behave("tokenLifetime=20s")
	good := rds.Beside(asking, "ttl: 20s", "pgbouncer: {server_lifetime: 1, server_idle_timeout: 1}")
	namespace.Install("demo", harness.Consumer(t).Write(t), good)
	old := namespace.ReadyPods(web, 1)[0]
	_, since := readiness(t, namespace, old.Name)
	// Not the token server's count, as new pods that fail have tokens too.
	renewals := func() int { return count(namespace.T(), namespace.Logs(old.Name, "db"), "credential.refreshed") }

	for _, upgrade := range []struct {
		name   string
		chart  harness.Chart
		values string
	}{
		{"to a host that is not the database", harness.Consumer(t), strings.Replace(good, "host: "+harness.TokenServerHost, "host: nowhere.invalid", 1)},
		{"to a database that there is not", harness.Consumer(t), strings.Replace(good, "database: shop", "database: shopp", 1)},
		{"to another version of the library than its program is of", harness.Consumer(t).OfVersion(t, "0.9.0"), good},
	} {
		require.True(t, upgrade.values != good || strings.Contains(upgrade.name, "version"), upgrade.name)
		before := renewals()
		namespace.Upgrade("demo", upgrade.chart.Write(t), upgrade.values)
		began := time.Now()

		namespace.Eventually(harness.PodStart, "a new pod is there that is not ready: "+upgrade.name, func() bool {
			for _, pod := range namespace.Pods(web) {
				if pod.Name != old.Name && pod.CreationTimestamp.After(began.Add(-10*time.Second)) {
					return true
				}
			}
			return false
		})
		namespace.Eventually(harness.PodStart+2*lifetime*time.Second, "the old pod has lived for two more tokens: "+upgrade.name, func() bool {
			return time.Since(began) > 2*lifetime*time.Second && renewals() >= before+2
		})

		ready, still := readiness(t, namespace, old.Name)
		assert.True(t, ready, upgrade.name)
		assert.Equal(t, since, still, "the old pod was ready all the time: %s", upgrade.name)
	}
	assert.Empty(t, rds.Report().Refused)
	assert.Empty(t, failures(namespace.Logs(old.Name, "app")), "no question of the app's failed")
}
