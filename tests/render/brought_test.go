package render

import (
	"testing"

	"github.com/stretchr/testify/assert"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// acme is a chart whose only dependency is a company's library chart, `acme-common`, which writes its objects and brings outrigger.
func acme(t testing.TB) harness.Chart {
	return harness.BroughtBy(t, "acme-common", map[string]string{
		"charts/acme-common/values.yaml": "outrigger: {defaults: {resources: {limits: {memory: 32Mi}}}}",
		"charts/acme-common/templates/_app.tpl": `
{{- define "acme.app" }}
{{ include "outrigger.manifest" (dict "context" . "template" "acme.deployment") }}
---
{{ include "outrigger.objects" . }}
{{- end }}
{{- define "acme.deployment" }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-{{ .Chart.Name }}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: "app:1"}]
{{- end }}`,
		"templates/app.yaml":  `{{ include "acme.app" . }}`,
		"templates/NOTES.txt": `{{ include "outrigger.notes" (dict "context" .) }}`,
	})
}

func TestALibraryThatACompanysOwnLibraryChartBringsNeedsNoDependencyOfEachApp(t *testing.T) {
	t.Parallel()

	objects := acme(t).Render(t, `
acme-common:
  outrigger:
    volumes: {logs: {mountPath: /logs}}
    logshippers: {ship: {files: [/logs/a], to: {stdout: {}}}}
    backups: {nightly: {schedule: "17 3 * * *", `+postgres+`, store: {files: {remote: ":s3:bucket"}}}}
`)

	pod := harness.Find[*appsv1.Deployment](t, objects).Spec.Template
	ship := container(t, pod, "ship")
	assert.Equal(t, "32Mi", ship.Resources.Limits.Memory().String(), "the company's own defaults hold")
	assert.Equal(t, "demo-shop-outrigger", harness.Find[*corev1.ConfigMap](t, objects).Name, "names are the app's")
	assert.Contains(t, cronJobsIn(objects), "demo-shop-nightly")
	assert.Equal(t, batchv1.ForbidConcurrent, cronJobsIn(objects)["demo-shop-nightly"].Spec.ConcurrencyPolicy)
}

func TestProblemsOfALibraryThatIsBroughtAreToldByTheirPathInTheAppsValues(t *testing.T) {
	t.Parallel()

	problem := acme(t).RenderError(t, `acme-common: {outrigger: {containers: {helper: {image: "h"}}}}`)
	unknown := acme(t).RenderError(t, `acme-common: {outrigger: {containers: {helper: {imagine: "h:1"}}}}`)

	assert.Contains(t, problem, "acme-common.outrigger.containers.helper")
	assert.Contains(t, unknown, "imagine")
}

func TestADependencyOfTheChartsOwnIsTakenBeforeOneThatIsBrought(t *testing.T) {
	t.Parallel()
	chart := acme(t)
	own := harness.NewChart(t, map[string]string{
		"Chart.yaml": "{apiVersion: v2, name: shop, version: 1.0.0, dependencies: [{name: outrigger, version: 0.x}, {name: acme-common, version: 1.0.0}]}",
	})

	pod := harness.Find[*appsv1.Deployment](t, own.And(chart).Render(t, `
outrigger: {containers: {mine: {image: "m:1"}}}
acme-common: {outrigger: {containers: {brought: {image: "b:1"}}}}
`)).Spec.Template

	assert.Equal(t, []string{"mine"}, containerNames(pod.Spec.InitContainers))
}

func TestAChartWhoseSubchartIsAnAppWithTheLibraryStillNeedsADependencyOfItsOwn(t *testing.T) {
	t.Parallel()
	umbrella := harness.Umbrella(t, harness.Part{Name: "shop", Version: "1.0.0"}).With(map[string]string{
		"templates/own.yaml": `{{ include "outrigger.objects" . }}`,
	})

	message := umbrella.RenderError(t, "")

	assert.Contains(t, message, `chart "all" uses the library but does not depend on it; add outrigger to the dependencies in its Chart.yaml`)
}

// someoneElses is an umbrella over a chart of others, which knows nothing of the library and takes templates as values, as many
// public charts do.
func someoneElses(t testing.TB) harness.Chart {
	return harness.NewChart(t, map[string]string{
		"Chart.yaml":              "{apiVersion: v2, name: edge, version: 1.0.0, dependencies: [{name: outrigger, version: 0.x}, {name: nginx, version: 1.0.0}]}",
		"charts/nginx/Chart.yaml": "{apiVersion: v2, name: nginx, version: 1.0.0}",
		"charts/nginx/templates/deployment.yaml": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx}
spec:
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      initContainers:
        {{- tpl .Values.initContainers . | nindent 8 }}
      containers:
        - name: nginx
          image: nginx:1
          volumeMounts:
            {{- tpl .Values.extraVolumeMounts . | nindent 12 }}
      volumes:
        {{- tpl .Values.extraVolumes . | nindent 8 }}`,
	})
}

const injected = `
global: {imageRegistry: registry.example}
nginx:
  initContainers: '{{ include "outrigger.initContainers" (dict "context" $ "values" .Values.outrigger) }}'
  extraVolumes: '{{ include "outrigger.volumes" (dict "context" $ "values" .Values.outrigger) }}'
  extraVolumeMounts: '{{ include "outrigger.volumeMounts" (dict "context" $ "values" .Values.outrigger) }}'
  outrigger:
    volumes: {cache: {mountPath: /var/cache/nginx}}
    containers: {warm: {image: "warm:1", volumeMounts: [{name: cache}]}}
`

func TestASidecarIsInjectedIntoSomeoneElsesChartByTheValuesOfTheCall(t *testing.T) {
	t.Parallel()

	pod := harness.Find[*appsv1.Deployment](t, someoneElses(t).Render(t, injected)).Spec.Template

	warm := container(t, pod, "warm")
	assert.Equal(t, "registry.example/warm:1", warm.Image, "what is global holds there too")
	assert.Equal(t, "64Mi", warm.Resources.Limits.Memory().String(), "it gets the library's defaults")
	assert.True(t, *warm.SecurityContext.RunAsNonRoot)
	assert.Equal(t, "/var/cache/nginx", warm.VolumeMounts[0].MountPath)
	assert.Equal(t, "/var/cache/nginx", container(t, pod, "nginx").VolumeMounts[0].MountPath)
}

func TestWhatNeedsTheLibrarysFilesIsRefusedInAChartThatCannotReadThem(t *testing.T) {
	t.Parallel()

	message := someoneElses(t).RenderError(t, injected+`    logshippers: {ship: {files: [/var/cache/nginx/log], to: {stdout: {}}}}`)

	assert.Contains(t, message, `values.logshippers.ship needs files of the library's, which chart "nginx" cannot read, as it does not depend on it; add outrigger to the dependencies in its Chart.yaml, or leave the entry out`)
}

func TestProblemsOfValuesThatACallBringsAreToldByTheirPathThere(t *testing.T) {
	t.Parallel()

	message := someoneElses(t).RenderError(t, injected+`    kubeVersion: v1.30.0
    defaults: {downwardAPI: true}
    mode: native
    shutdownSeconds: 5
    env: {OUTRIGGER_A: b}
`)

	assert.Contains(t, message, "values.env.OUTRIGGER_A: variables that begin with OUTRIGGER_ are the library's own")
}
