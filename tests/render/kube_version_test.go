package render

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/outrigger-charts/outrigger/tests/apis"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

// firstNative is the first minor version whose clusters have native sidecars unless they are told not to.
const firstNative = 29

// spellings are how clusters of various vendors, and `helm template --kube-version`, name a minor version.
var spellings = []string{
	"v1.%d.0",
	"v1.%d",
	"1.%d.4",
	"v1.%d.0-rc.1",
	"v1.%d.3-eks-036c24b",
	"v1.%d.5-gke.1014001",
	"v1.%d.9+k3s1",
	"v1.%d.11+rke2r1",
	"v1.%d.6+f62a8d8", // OpenShift
	"v1.%d.7-aliyun.1",
	"v1.%d.2+vmware.1-fips.1",
}

// manySided uses much of what the library can write into a pod.
const manySided = `
pod:
  metadata: {labels: {app: web}}
  spec:
    initContainers: [{name: migrate, image: "app:1"}]
    containers:
      - name: app
        image: app:1
        ports: [{name: http, containerPort: 8080}]
        resources: {limits: {cpu: 1, memory: 64Mi}}
outrigger:
  volumes:
    logs: {mountPath: /logs, size: 10Mi}
    memory: {mountPath: /memory, medium: Memory}
    data: {mountPath: /data, persistentVolumeClaim: {claimName: data}}
    settings: {mountPath: /settings, readOnly: true, configMap: {name: settings, defaultMode: 292}}
  logshippers:
    shipper: {files: [/logs/*.log], to: {stdout: {}}}
  containers:
    helper:
      image: helper:1
      order: 50
      env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
      envFrom: [{configMapRef: {name: settings}}]
      ports: [{name: metrics, containerPort: 9090}]
      startupProbe: {httpGet: {path: /, port: metrics}, failureThreshold: 30}
      readinessProbe: {tcpSocket: {port: 9090}}
      livenessProbe: {exec: {command: [check]}, periodSeconds: 5}
      lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
      resources: {requests: {memory: 8Mi}}
      securityContext: {runAsUser: 7}
      volumeMounts: [{name: logs}, {name: memory}, {name: data, mountPath: /elsewhere}]
`

const manySidedJob = `
job: {spec: {restartPolicy: Never, containers: [{name: job, image: "job:1"}]}}
`

func TestEveryVersionOfKubernetesTakesWhatIsRenderedForIt(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t)
	eachMinor(t, func(t *testing.T, minor int) {
		values := manySided
		if minor >= firstNative {
			values += manySidedJob
		}
		plain := chart.RenderMaps(t, values, harness.Settings{KubeVersion: fmt.Sprintf(spellings[0], minor)})
		require.NotEmpty(t, plain)
		assert.Equal(t, minor >= firstNative, hasNativeSidecar(plain), "native sidecars")
		for _, spelling := range spellings {
			version := fmt.Sprintf(spelling, minor)

			objects := chart.RenderMaps(t, values, harness.Settings{KubeVersion: version})

			accepted(t, version, objects)
			assert.Equal(t, plain, objects, "%s and the plain version", version)
		}
	})
}

// A chart's Job is left out for the versions in which a sidecar would keep it from completing; a chart of nothing but Jobs
// does not claim these versions.
func TestEveryVersionOfKubernetesTakesTheExampleCharts(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob(filepath.Join(harness.Root(), "charts", "*", "Chart.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, folder := range folders {
		metadata, err := chartutil.LoadChartfile(folder)
		require.NoError(t, err)
		chart := harness.LoadChart(t, filepath.Dir(folder))
		rendered := chart.RenderMaps(t, "")
		jobs := len(ofKind("Job", rendered))+len(ofKind("CronJob", rendered)) > 0
		t.Run(filepath.Base(filepath.Dir(folder)), func(t *testing.T) {
			eachMinor(t, func(t *testing.T, minor int) {
				settings := harness.Settings{KubeVersion: fmt.Sprintf("v1.%d.1", minor)}
				values := ""
				if jobs && minor < firstNative {
					assert.Contains(t, chart.RenderError(t, "", settings), "keeps a Job (restartPolicy Never) from ever completing")
					if !chartutil.IsCompatibleRange(metadata.KubeVersion, settings.KubeVersion) {
						return
					}
					values = `job: {enabled: false}`
				}

				objects := chart.RenderMaps(t, values, settings)

				require.NotEmpty(t, objects)
				accepted(t, settings.KubeVersion, objects)
			})
		})
	}
}

// The form that a newer version would get is refused by the types of an older one: the matrix can tell them apart.
func TestANativeSidecarIsRefusedByTheTypesOfAVersionThatHasNone(t *testing.T) {
	t.Parallel()
	objects := harness.Consumer(t).RenderMaps(t, appPod+`outrigger: {mode: native, containers: {helper: {image: "helper:1"}}}`)

	require.Len(t, objects, 1)
	assert.Equal(t, []string{"spec.template.spec.initContainers[0].restartPolicy: unknown field"}, apis.Check("v1.27.16", objects[0]))
	accepted(t, "v1.29.0", objects)
}

func eachMinor(t *testing.T, run func(*testing.T, int)) {
	t.Helper()
	for minor := apis.Oldest; minor <= apis.Newest; minor++ {
		t.Run(fmt.Sprintf("1.%d", minor), func(t *testing.T) { run(t, minor) })
	}
}

// accepted fails the test if a version's types do not have what is rendered.
func accepted(t testing.TB, version string, objects []map[string]any) {
	t.Helper()
	for _, object := range objects {
		assert.Empty(t, apis.Check(version, object), "%s %s for %s", object["kind"], object["metadata"], version)
	}
}

func hasNativeSidecar(objects []map[string]any) bool {
	return strings.Contains(fmt.Sprint(objects), "restartPolicy:Always")
}

func ofKind(kind string, objects []map[string]any) []map[string]any {
	var found []map[string]any
	for _, object := range objects {
		if object["kind"] == kind {
			found = append(found, object)
		}
	}
	return found
}
