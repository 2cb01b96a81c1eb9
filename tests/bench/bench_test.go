// Package bench measures what rendering costs: that of a chart with the library, and that of a chart written by hand
// that makes the same pods.
package bench

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// sizes are the numbers of sidecars that are measured.
var sizes = []int{0, 1, 3, 10, 30, 100}

// sidecar is one of the sidecars, as a user writes it under outrigger.containers. Its parameter is its number.
const sidecar = `
image: registry.example.com/proxy:1.%[1]d.0
env:
  - name: LOG_LEVEL
    value: info
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
ports:
  - name: port-%[1]d
    containerPort: %[2]d
volumeMounts:
  - name: shared
readinessProbe:
  httpGet: {path: /ready, port: port-%[1]d}
  periodSeconds: 5
  failureThreshold: 3
`

// pod is the author's part of the pod.
const pod = `
metadata:
  labels: {app: web}
spec:
  containers:
    - name: app
      image: registry.example.com/web:1.0.0
      ports:
        - name: http
          containerPort: 8080
      resources:
        requests: {cpu: 100m, memory: 64Mi}
        limits: {memory: 256Mi}
`

const workload = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels: {app: web}
  template:`

// subject is a chart and values, and what they render to.
type subject struct {
	name  string
	files []*loader.BufferedFile
	// values returns the values of a pod with a number of sidecars.
	values func(sidecars int) string
}

// withLibrary is a chart whose sidecars come from the library.
func withLibrary(t testing.TB) subject {
	folder := harness.NewChart(t, map[string]string{
		"templates/_helpers.tpl": `{{ define "pod" }}` + pod + `{{ end }}`,
		"templates/deployment.yaml": workload + `
    {{- include "outrigger.podTemplate" (dict "context" . "template" "pod") | nindent 4 }}`,
	}).Write(t)
	s := subject{name: "outrigger", files: filesIn(t, folder)}
	s.values = func(sidecars int) string {
		containers := map[string]any{}
		for number := range sidecars {
			containers[nameOf(number)] = parsed(t, number)
		}
		return printed(t, map[string]any{"outrigger": map[string]any{
			"volumes":    map[string]any{"shared": map[string]any{"mountPath": "/shared"}},
			"containers": containers,
		}})
	}
	return s
}

// byHand is a chart that ranges over a list of sidecars.
func byHand(t testing.TB) subject {
	s := subject{name: "by-hand", files: []*loader.BufferedFile{
		{Name: "Chart.yaml", Data: []byte("apiVersion: v2\nname: shop\nversion: 1.0.0\n")},
		{Name: "values.yaml", Data: []byte(`
sidecars: []
resources:
  requests: {cpu: 10m, memory: 16Mi}
  limits: {memory: 64Mi}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  readOnlyRootFilesystem: true
  runAsGroup: 65532
  runAsNonRoot: true
  runAsUser: 65532
  seccompProfile: {type: RuntimeDefault}
`)},
		{Name: "templates/deployment.yaml", Data: []byte(workload + indented(pod, "    ") + `
          volumeMounts:
            - name: shared
              mountPath: /shared
      {{- with .Values.sidecars }}
      initContainers:
        {{- range . }}
        - name: {{ .name }}
          image: {{ .image }}
          restartPolicy: Always
          env:
            {{- toYaml .env | nindent 12 }}
          ports:
            {{- toYaml .ports | nindent 12 }}
          volumeMounts:
            {{- toYaml .volumeMounts | nindent 12 }}
          readinessProbe:
            {{- toYaml .readinessProbe | nindent 12 }}
          resources:
            {{- toYaml $.Values.resources | nindent 12 }}
          securityContext:
            {{- toYaml $.Values.securityContext | nindent 12 }}
        {{- end }}
      {{- end }}
      volumes:
        - name: shared
          emptyDir:
            sizeLimit: 1Gi
`)},
	}}
	s.values = func(sidecars int) string {
		list := []any{}
		for number := range sidecars {
			one := parsed(t, number)
			one["name"] = nameOf(number)
			one["volumeMounts"] = []any{map[string]any{"name": "shared", "mountPath": "/shared"}}
			list = append(list, one)
		}
		return printed(t, map[string]any{"sidecars": list})
	}
	return s
}

// filesIn returns the files of the chart in a folder.
func filesIn(t testing.TB, folder string) (files []*loader.BufferedFile) {
	t.Helper()
	loaded, err := loader.LoadDir(folder)
	require.NoError(t, err)
	for _, file := range loaded.Raw {
		files = append(files, &loader.BufferedFile{Name: file.Name, Data: file.Data})
	}
	return files
}

// input returns a chart as it is loaded and values as Helm hands them to its engine, held to the schema where that is asked for.
// Rendering may change both, so each render needs its own.
func input(t testing.TB, chartFiles []*loader.BufferedFile, values string, bySchema bool) (*chart.Chart, chartutil.Values) {
	var files []*loader.BufferedFile
	for _, file := range chartFiles {
		files = append(files, &loader.BufferedFile{Name: file.Name, Data: file.Data})
	}
	loaded, err := loader.LoadFiles(files)
	require.NoError(t, err)
	read, err := chartutil.ReadValues([]byte(values))
	require.NoError(t, err)
	require.NoError(t, chartutil.ProcessDependenciesWithMerge(loaded, read))
	capabilities := *chartutil.DefaultCapabilities
	version, err := chartutil.ParseKubeVersion(harness.KubeVersion)
	require.NoError(t, err)
	capabilities.KubeVersion = *version
	release := chartutil.ReleaseOptions{Name: "demo", Namespace: "default", Revision: 1, IsInstall: true}
	renderValues, err := chartutil.ToRenderValuesWithSchemaValidation(loaded, read, release, &capabilities, !bySchema)
	require.NoError(t, err)
	return loaded, renderValues
}

// measured runs some work again and again, each time with what is prepared for it. Beside the elapsed time it reports the
// processor's (cpu-ns/op), which other programs on the machine disturb less.
func measured(b *testing.B, prepare func() (work func())) {
	b.Helper()
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		work := prepare()
		b.StartTimer()
		start := processorTime()
		work()
		used += processorTime() - start
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// BenchmarkRender measures Helm's engine alone: parsing the templates and executing them, with the library's checks, but
// without loading the chart and validating the values by the schema.
func BenchmarkRender(b *testing.B) {
	for _, subject := range []subject{withLibrary(b), byHand(b)} {
		for _, sidecars := range sizes {
			b.Run(fmt.Sprintf("%s/sidecars=%d", subject.name, sidecars), func(b *testing.B) {
				values := subject.values(sidecars)
				measured(b, func() func() {
					loaded, renderValues := input(b, subject.files, values, false)
					return func() {
						_, err := engine.Render(loaded, renderValues)
						require.NoError(b, err)
					}
				})
			})
		}
	}
}

func TestBothChartsRenderTheSamePodWithItsSidecars(t *testing.T) {
	for _, sidecars := range []int{0, 1, 3, 30} {
		t.Run(fmt.Sprint(sidecars), func(t *testing.T) {
			theirs := deployment(t, byHand(t), sidecars)
			ours := deployment(t, withLibrary(t), sidecars)

			assert.Len(t, ours.Spec.Template.Spec.InitContainers, sidecars)
			assert.Equal(t, theirs, ours)
		})
	}
}

func deployment(t testing.TB, s subject, sidecars int) appsv1.Deployment {
	t.Helper()
	texts, err := engine.Render(input(t, s.files, s.values(sidecars), false))
	require.NoError(t, err)
	var deployments []appsv1.Deployment
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if strings.TrimSpace(texts[name]) == "" {
			continue
		}
		var one appsv1.Deployment
		require.NoError(t, yaml.UnmarshalStrict([]byte(texts[name]), &one), texts[name])
		deployments = append(deployments, one)
	}
	require.Len(t, deployments, 1)
	return deployments[0]
}

func nameOf(number int) string { return fmt.Sprintf("proxy-%03d", number) }

// parsed returns one sidecar's values.
func parsed(t testing.TB, number int) map[string]any {
	t.Helper()
	var values map[string]any
	require.NoError(t, yaml.UnmarshalStrict(fmt.Appendf(nil, sidecar, number, 10000+number), &values))
	return values
}

func printed(t testing.TB, values any) string {
	t.Helper()
	text, err := yaml.Marshal(values)
	require.NoError(t, err)
	return string(text)
}

func indented(text, by string) string {
	return strings.TrimRight(strings.ReplaceAll(text, "\n", "\n"+by), " ")
}
