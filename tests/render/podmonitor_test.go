package render

import (
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// No operator of Prometheus' runs in the tests' cluster: its own types tell whether it would take the object.
func TestAPodMonitorSelectsThePodsByALabelOfItsOwnAndNamesThePortOfTheMetrics(t *testing.T) {
	t.Parallel()
	for pattern, test := range map[string]struct{ name, entry string }{
		"logshippers":     {"logshippers-shipper", `{shipper: {files: [/logs/app.log], to: {otlphttp: {endpoint: "http://loki:3100/otlp"}}, metrics: {podMonitor: true, port: 9999}}}`},
		"tokenRefreshers": {"token-refreshers-shipper", `{shipper: {azureDatabase: {user: shop}, file: {path: /tokens/a, format: raw}, metrics: {podMonitor: true, port: 9999}}}`},
		"ambassadors":     {"ambassadors-shipper", `{shipper: {pgbouncer: {secret: db, user: shop, host: postgres, database: shop, metrics: {podMonitor: true, port: 9999}}}}`},
	} {
		t.Run(pattern, func(t *testing.T) {
			var (
				monitor monitoringv1.PodMonitor
				web     map[string]any
			)
			for _, object := range harness.Consumer(t).RenderMaps(t, `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "a:1"}]}}
outrigger:
  volumes: {logs: {mountPath: /logs}}
  `+pattern+": "+test.entry+"\n") {
				switch object["kind"] {
				case "PodMonitor":
					text, err := yaml.Marshal(object)
					require.NoError(t, err)
					require.NoError(t, yaml.UnmarshalStrict(text, &monitor))
				case "Deployment":
					web = object
				}
			}

			template := web["spec"].(map[string]any)["template"].(map[string]any)
			labels := template["metadata"].(map[string]any)["labels"].(map[string]any)
			containers := template["spec"].(map[string]any)["initContainers"].([]any)
			ports := containers[len(containers)-1].(map[string]any)["ports"].([]any)
			assert.Equal(t, "demo-shop-outrigger-"+test.name, monitor.Name)
			require.Len(t, monitor.Spec.Selector.MatchLabels, 1)
			for label, value := range monitor.Spec.Selector.MatchLabels {
				assert.Equal(t, value, labels[label])
				assert.NotEqual(t, "app", label)
			}
			assert.Contains(t, ports, map[string]any{"containerPort": float64(9999), "name": *monitor.Spec.PodMetricsEndpoints[0].Port})
		})
	}
}
