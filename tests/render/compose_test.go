package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

func TestAPodTemplateWithoutEntriesComesOutAsItWentIn(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, `
pod:
  metadata: {labels: {app: web}, annotations: {a: "1"}}
  spec:
    securityContext: {runAsUser: 1000650000}
    initContainers: [{name: z, image: z:1}, {name: a, image: a:1}]
    containers: [{name: two, image: two:1}, {name: one, image: one:1}]
`)

	assert.Equal(t, []string{"z", "a"}, containerNames(pod.Spec.InitContainers))
	assert.Equal(t, []string{"two", "one"}, containerNames(pod.Spec.Containers))
	assert.EqualValues(t, 1000650000, *pod.Spec.SecurityContext.RunAsUser, "large numbers keep their digits")
	assert.Equal(t, map[string]string{"a": "1"}, pod.Annotations)
	assert.Empty(t, pod.Spec.Volumes)
}

func TestAPodTemplateMayBeGivenByTheNameOfATemplate(t *testing.T) {
	t.Parallel()
	chart := harness.NewChart(t, map[string]string{"templates/pod.yaml": `
apiVersion: v1
kind: PodTemplate
metadata: {name: web}
template:
  {{- define "shop.pod" }}
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: shop:1
  {{- end }}
  {{- include "outrigger.podTemplate" (dict "context" . "template" "shop.pod") | nindent 2 }}
`})

	objects := chart.Render(t, `outrigger: {containers: {helper: {image: "helper:1"}}}`)

	pod := harness.Find[*corev1.PodTemplate](t, objects).Template
	assert.Equal(t, []string{"shop"}, containerNames(pod.Spec.Containers))
	assert.Equal(t, []string{"helper"}, containerNames(pod.Spec.InitContainers))
}

func TestSidecarsAreNativeFromKubernetes129OnAndClassicBelow(t *testing.T) {
	t.Parallel()
	values := appPod + `outrigger: {containers: {helper: {image: "helper:1"}}}`
	for version, native := range map[string]bool{
		"v1.28.15":              false,
		"v1.28.9-eks-036c24b":   false,
		"v1.29.0":               true,
		"v1.29.0-alpha.1":       true,
		"v1.29.3-eks-adc7111":   true,
		"v1.30.5-gke.1014001":   true,
		"v1.31.4+k3s1":          true,
		"v1.34":                 true,
		harness.KubeVersion:     true,
		"v1.32.9-gke.1548000-x": true,
	} {
		t.Run(version, func(t *testing.T) {
			pod := renderPod(t, values, harness.Settings{KubeVersion: version})

			if native {
				require.Equal(t, []string{"helper"}, containerNames(pod.Spec.InitContainers))
				require.Equal(t, corev1.ContainerRestartPolicyAlways, *pod.Spec.InitContainers[0].RestartPolicy)
				assert.Equal(t, []string{"app"}, containerNames(pod.Spec.Containers))
			} else {
				assert.Equal(t, []string{"app", "helper"}, containerNames(pod.Spec.Containers))
				assert.Nil(t, pod.Spec.Containers[1].RestartPolicy)
				assert.Empty(t, pod.Spec.InitContainers)
			}
		})
	}
}

func TestModeOverridesTheVersion(t *testing.T) {
	t.Parallel()
	classic := renderPod(t, appPod+`outrigger: {mode: classic, containers: {helper: {image: "helper:1"}}}`)
	native := renderPod(t, appPod+`outrigger: {mode: native, kubeVersion: 1.29.0, containers: {helper: {image: "helper:1"}}}`, harness.Settings{KubeVersion: "v1.20.0"})

	assert.Equal(t, []string{"app", "helper"}, containerNames(classic.Spec.Containers))
	assert.Equal(t, []string{"helper"}, containerNames(native.Spec.InitContainers))
}

func TestAClassicSidecarInAJobIsAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"Never", "OnFailure"} {
		values := `{job: {spec: {restartPolicy: ` + policy + `, containers: [{name: job, image: "job:1"}]}}, outrigger: {containers: {helper: {image: "helper:1"}}}}`

		message := harness.Consumer(t).RenderError(t, values, harness.Settings{KubeVersion: "v1.28.0"})

		assert.Contains(t, message, "outrigger.containers.helper: a classic sidecar keeps a Job (restartPolicy "+policy+") from ever completing")
		assert.Contains(t, message, "Kubernetes 1.29 or later")
		assert.Contains(t, message, "set outrigger.kubeVersion")
		assert.Equal(t, []string{"helper"}, containerNames(renderJob(t, values).Spec.InitContainers), "and a native one is none")
	}
}

func TestSidecarsStartInOrderBeforeTheAuthorsInitContainers(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, `
pod:
  metadata: {labels: {app: web}}
  spec:
    initContainers: [{name: migrate, image: app:1}]
    containers:
      - {name: app, image: app:1, volumeMounts: [{name: logs, mountPath: /logs}]}
    volumes: [{name: logs, emptyDir: {}}]
outrigger:
  containers:
    b: {image: "b:1"}
    a: {image: "a:1"}
    first: {image: "first:1", order: -5}
    last: {image: "last:1", order: 1000}
  logshippers:
    shipper: {files: [/logs/*.log], to: {stdout: {}}}
`)

	assert.Equal(t, []string{"first", "shipper", "a", "b", "last", "migrate"}, containerNames(pod.Spec.InitContainers))
}

func TestAnEntryIsLeftOutWhereItIsOffOrBelongsToAnotherWorkload(t *testing.T) {
	t.Parallel()
	values := appPod + `
job: {spec: {restartPolicy: Never, containers: [{name: job, image: job:1}]}}
outrigger:
  containers:
    off: {image: "x:1", enabled: false}
    web: {image: "x:1", workloads: [web]}
    once: {image: "x:1", workloads: [once]}
    both: {image: "x:1"}
`
	assert.Equal(t, []string{"both", "web"}, containerNames(renderPod(t, values).Spec.InitContainers))
	assert.Equal(t, []string{"both", "once"}, containerNames(renderJob(t, values).Spec.InitContainers))
}

func TestAContainerTakesEveryKubernetesField(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+`
outrigger:
  containers:
    helper:
      image: helper:1
      command: [run]
      args: ["--fast"]
      workingDir: /work
      env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
      envFrom: [{configMapRef: {name: settings}}]
      ports: [{name: metrics, containerPort: 9090}]
      startupProbe: {httpGet: {path: /, port: metrics}, failureThreshold: 30}
      lifecycle: {preStop: {sleep: {seconds: 1}}}
      terminationMessagePolicy: FallbackToLogsOnError
      stdin: true
`)

	helper := pod.Spec.InitContainers[0]
	assert.Equal(t, []string{"run"}, helper.Command)
	assert.Equal(t, "metadata.name", helper.Env[1].ValueFrom.FieldRef.FieldPath)
	assert.Equal(t, "settings", helper.EnvFrom[0].ConfigMapRef.Name)
	assert.EqualValues(t, 9090, helper.Ports[0].ContainerPort)
	assert.EqualValues(t, 30, helper.StartupProbe.FailureThreshold)
	assert.EqualValues(t, 1, helper.Lifecycle.PreStop.Sleep.Seconds)
	assert.True(t, helper.Stdin)
}

func TestRenderingTwiceInOneChartGivesTheSame(t *testing.T) {
	t.Parallel()
	same := `
apiVersion: v1
kind: PodTemplate
metadata: {name: %}
template:
  {{- include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod) | nindent 2 }}
`
	chart := harness.NewChart(t, map[string]string{
		"templates/a.yaml": strings.Replace(same, "%", "a", 1),
		"templates/b.yaml": strings.Replace(same, "%", "b", 1),
	})

	objects := chart.Render(t, `
pod: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "app:1", resources: {limits: {cpu: 1, memory: 1Gi}}}]}}
outrigger:
  volumes: {logs: {mountPath: /logs}}
  logshippers: {shipper: {files: [/logs/a.log], to: {stdout: {}}}}
  containers: {helper: {image: "helper:1", resources: {requests: {memory: 1Gi}}, securityContext: {runAsUser: 7}, volumeMounts: [{name: logs}]}}
`)

	require.Len(t, objects, 2)
	assert.Equal(t, objects[0].(*corev1.PodTemplate).Template, objects[1].(*corev1.PodTemplate).Template)
}

func TestTheDependencyMayHaveAnAlias(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies: [{name: outrigger, version: 0.x, alias: sidecars}]\n",
	})

	objects := chart.Render(t, appPod+`sidecars: {containers: {helper: {image: "helper:1"}}}`)
	message := chart.RenderError(t, appPod+`sidecars: {containers: {helper: {}}}`)

	assert.NotEmpty(t, objects)
	assert.Contains(t, message, "sidecars.containers.helper.image")
}

func TestMisusedCallsSayWhatToWrite(t *testing.T) {
	t.Parallel()
	for call, mend := range map[string]string{
		`(dict "template" "x")`: `write (dict "context" $ "template" "NAME")`,
		`(dict "context" .)`:    "the pod template is missing",
		`(dict "context" . "podTemplate" (dict "kind" "Pod"))`:            "has no spec.containers",
		`(dict "context" . "template" "broken")`:                          `template "broken" does not print YAML`,
		`(dict "context" . "template" "broken" "podTemplate" (dict 1 2))`: "give one of them",
	} {
		chart := harness.NewChart(t, map[string]string{
			"templates/pod.yaml":     `{{- include "outrigger.podTemplate" ` + call + ` }}`,
			"templates/_helpers.tpl": `{{- define "broken" }}a: b: c{{ end }}`,
		})

		assert.Contains(t, chart.RenderError(t, ""), mend, "call: %s", call)
	}
}

func TestAChartThatDoesNotDependOnTheLibraryIsTold(t *testing.T) {
	t.Parallel()
	chart := harness.Consumer(t).With(map[string]string{
		"charts/stranger/Chart.yaml":         "apiVersion: v2\nname: stranger\nversion: 1.0.0\n",
		"charts/stranger/templates/pod.yaml": `{{ include "outrigger.objects" . }}`,
	})

	message := chart.RenderError(t, "")

	assert.Contains(t, message, `chart "stranger" uses the library but does not depend on it; add outrigger to the dependencies`)
}
