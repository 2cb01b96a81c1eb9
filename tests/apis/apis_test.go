package apis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/apis"
)

func TestAFieldIsKnownFromTheVersionOnThatAddedIt(t *testing.T) {
	for name, test := range map[string]struct {
		container, path string
		since           int
	}{
		"a native sidecar":         {`restartPolicy: Always`, "restartPolicy", 28},
		"a sleep before the end":   {`lifecycle: {preStop: {sleep: {seconds: 1}}}`, "lifecycle.preStop.sleep", 29},
		"a mount of all below":     {`volumeMounts: [{name: v, mountPath: /v, readOnly: true, recursiveReadOnly: Enabled}]`, "volumeMounts[0].recursiveReadOnly", 30},
		"a signal of one's own":    {`lifecycle: {stopSignal: SIGINT}`, "lifecycle.stopSignal", 33},
		"a field of all versions":  {`terminationMessagePolicy: FallbackToLogsOnError`, "terminationMessagePolicy", apis.Oldest},
		"an inlined field of them": {`startupProbe: {httpGet: {port: http, path: /}, periodSeconds: 5}`, "startupProbe", apis.Oldest},
	} {
		t.Run(name, func(t *testing.T) {
			for minor := apis.Oldest; minor <= apis.Newest; minor++ {
				version := fmt.Sprintf("1.%d", minor)

				found := apis.Check(version, object(t, `{apiVersion: v1, kind: Pod, spec: {initContainers: [{name: c, image: "c:1", `+test.container+`}]}}`))

				if minor < test.since {
					assert.Equal(t, []string{"spec.initContainers[0]." + test.path + ": unknown field"}, found, version)
				} else {
					assert.Empty(t, found, version)
				}
			}
		})
	}
}

func TestAValueOfAWrongTypeIsFound(t *testing.T) {
	const pod = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {a: %s}}, spec: {replicas: %s, template: {spec: {
		hostNetwork: %s, containers: %s, volumes: [{emptyDir: {sizeLimit: %s}}]}}}}`
	for name, test := range map[string]struct {
		values []any // label, replicas, hostNetwork, containers, sizeLimit
		found  string
	}{
		"none":                      {values: []any{"b", "1", "true", "[]", "1Gi"}},
		"nothing":                   {values: []any{"null", "null", "null", "null", "null"}},
		"a quantity without a unit": {values: []any{"b", "1", "true", "[]", "1024"}},
		"a number for a string":     {[]any{"1", "1", "true", "[]", "1Gi"}, "metadata.labels.a: 1 is no string"},
		"a string for an integer":   {[]any{"b", `"1"`, "true", "[]", "1Gi"}, "spec.replicas: 1 is no integer"},
		"a fraction for an integer": {[]any{"b", "1.5", "true", "[]", "1Gi"}, "spec.replicas: 1.5 is no integer"},
		"a string for a boolean":    {[]any{"b", "1", `"true"`, "[]", "1Gi"}, "spec.template.spec.hostNetwork: true is no boolean"},
		"a map for a list":          {[]any{"b", "1", "true", "{}", "1Gi"}, "spec.template.spec.containers: map[] is no []Container"},
		"a list for a map":          {[]any{"b", "1", "true", "[[]]", "1Gi"}, "spec.template.spec.containers[0]: [] is no Container"},
		"a string for a map":        {[]any{"b", "1", "true", "[a]", "1Gi"}, "spec.template.spec.containers[0]: a is no Container"},
		"no quantity":               {[]any{"b", "1", "true", "[]", "1GB"}, "spec.template.spec.volumes[0].emptyDir.sizeLimit: 1GB is no quantity"},
	} {
		t.Run(name, func(t *testing.T) {
			found := apis.Check("1.25", object(t, fmt.Sprintf(pod, test.values...)))

			if test.found == "" {
				assert.Empty(t, found)
			} else {
				assert.Equal(t, []string{test.found}, found)
			}
		})
	}
}

func TestAPortIsANumberOrAName(t *testing.T) {
	const service = `{apiVersion: v1, kind: Service, spec: {ports: [{port: 80, targetPort: %s}]}}`

	assert.Empty(t, apis.Check("1.30", object(t, fmt.Sprintf(service, "8080"))))
	assert.Empty(t, apis.Check("1.30", object(t, fmt.Sprintf(service, "http"))))
	assert.Equal(t, []string{"spec.ports[0].targetPort: 80.5 is no intOrString"}, apis.Check("1.30", object(t, fmt.Sprintf(service, "80.5"))))
}

func TestWhatIsNotKnownIsNotLetThrough(t *testing.T) {
	pod := object(t, `{apiVersion: v1, kind: Pod}`)

	assert.Equal(t, []string{`unknown kind "v1 Secret"`}, apis.Check("1.30", object(t, `{apiVersion: v1, kind: Secret}`)))
	assert.Equal(t, []string{`unknown kind "apps/v1beta1 Deployment"`}, apis.Check("1.30", object(t, `{apiVersion: apps/v1beta1, kind: Deployment}`)))
	for _, version := range []string{"1.24", "v1.38.0", "2.30", "1.3O", ""} {
		assert.NotEmpty(t, apis.Check(version, pod), version)
	}
	for _, version := range []string{"1.30", "v1.30.5-gke.100", "v1.30.9+k3s1", "1.30-alpha"} {
		assert.Empty(t, apis.Check(version, pod), version)
	}
}

func TestEveryVersionSaysWhereItsTypesComeFrom(t *testing.T) {
	for minor := apis.Oldest; minor <= apis.Newest; minor++ {
		types, err := apis.Of(fmt.Sprintf("1.%d", minor))
		require.NoError(t, err)

		require.Len(t, types.Source, 2)
		assert.Contains(t, types.Source[0], fmt.Sprintf("k8s.io/api@v0.%d.", minor))
		assert.Contains(t, types.Source[1], fmt.Sprintf("k8s.io/apimachinery@v0.%d.", minor))
		assert.Len(t, types.Kinds, 12)
		for name, fields := range types.Types {
			for field, kind := range fields {
				element := kind[strings.LastIndex(kind, "]")+1:]
				_, isObject := types.Types[element]
				assert.True(t, isObject || strings.Contains(" string boolean integer number quantity intOrString ", " "+element+" "), "1.%d %s.%s: %s", minor, name, field, kind)
			}
		}
	}
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	var decoded map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &decoded), text)
	return decoded
}
