package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/outrigger-charts/outrigger/tests/backend"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// lokiService leads to the namespace's backend by the name and the port of charts/logging-app/values-otlp.yaml.
const lokiService = `
apiVersion: v1
kind: Service
metadata: {name: loki}
spec:
  selector: {app: backend}
  ports: [{name: http, port: 3100, targetPort: 4318}]
`

// Loki itself receives the same in `make test-soak`.
func TestTheLoggingAppShipsToAServiceThatTakesOTLPBelowAPath(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	receiver := namespace.OwnBackend() // which a Service of the test's own selects
	namespace.Apply(lokiService)
	chart := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/logging-app")).Write(t)

	namespace.Install("demo", chart, "replicaCount: 1\napp: {interval: 0.1}\njob: {enabled: false}", "values-otlp.yaml")

	pod := namespace.ReadyPods("app.kubernetes.io/component=app", 1)[0]
	var records []backend.Record
	var lines []string
	namespace.Eventually(harness.PodStart, "the app's first 20 lines arrive", func() bool {
		records, lines = receiver.Records(" logging"), nil
		for _, record := range records {
			lines = append(lines, record.Text())
		}
		for number := range 20 {
			if !slices.Contains(lines, fmt.Sprintf("%d logging", number+1)) {
				return false
			}
		}
		return true
	})
	slices.Sort(lines)
	assert.Equal(t, slices.Compact(slices.Clone(lines)), lines, "no line is repeated")
	for _, record := range records {
		for name, value := range map[string]any{"service.name": "logging-app", "k8s.pod.name": pod.Name, "k8s.namespace.name": namespace.Name} {
			assert.Equal(t, value, record.Resource[name], name)
		}
	}
	assert.Equal(t, "/otlp/v1/logs", receiver.Counts().Path, "what the endpoint names stands before OTLP's own path")
	assert.NotContains(t, namespace.Logs(pod.Name, "logshipper"), "1 logging", "`stdout: null` takes the chart's own target away")
}
