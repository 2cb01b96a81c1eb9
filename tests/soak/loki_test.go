package soak

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// startLoki runs Loki as the Service `loki`, as charts/logging-app/values-otlp.yaml names it.
func startLoki(t testing.TB, namespace *harness.Namespace) {
	t.Helper()
	namespace.Kubectl("apply", "-f", filepath.Join(harness.Root(), "tests/soak/testdata/loki.yaml"))
	namespace.ReadyPods("app=loki", 1)
}

// queryLoki returns the lines that a query selects, the oldest first, and the labels of their streams.
func queryLoki(t testing.TB, namespace *harness.Namespace, query string) (lines []string, labels map[string]string) {
	t.Helper()
	answer, err := namespace.Client.CoreV1().RESTClient().Get().Namespace(namespace.Name).Resource("services").Name("loki:http").SubResource("proxy").
		Suffix("loki/api/v1/query_range").Param("query", query).Param("limit", "5000").Param("direction", "forward").Param("since", "1h").DoRaw(context.Background())
	if err != nil {
		return nil, nil // not yet
	}
	var result struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][]string
			}
		}
	}
	require.NoError(t, json.Unmarshal(answer, &result), string(answer))
	for _, stream := range result.Data.Result {
		labels = stream.Stream
		for _, value := range stream.Values {
			lines = append(lines, value[1])
		}
	}
	return lines, labels
}

func TestTheLoggingAppShipsToLoki(t *testing.T) {
	harness.Facts(t)
	namespace := harness.NewNamespace(t, harness.Restricted)
	startLoki(t, namespace)
	chart := harness.LoadChart(t, filepath.Join(harness.Root(), "charts/logging-app")).Write(t)

	namespace.Install("demo", chart, "replicaCount: 1\napp: {interval: 0.1}\njob: {enabled: false}", "values-otlp.yaml")

	pod := namespace.ReadyPods("app.kubernetes.io/component=app", 1)[0]
	var (
		lines  []string
		labels map[string]string
	)
	namespace.Eventually(harness.PodStart, "Loki has lines of the app", func() bool {
		lines, labels = queryLoki(namespace.T(), namespace, `{service_name="logging-app"}`)
		return len(lines) >= 20
	})
	assert.Equal(t, "1 logging", lines[0])
	assert.Equal(t, "20 logging", lines[19])
	assert.Equal(t, len(lines), len(slices.Compact(slices.Sorted(slices.Values(lines)))), "no line is repeated")
	assert.Equal(t, pod.Name, labels["k8s_pod_name"], "%v", labels)
	assert.Equal(t, namespace.Name, labels["k8s_namespace_name"])
}
