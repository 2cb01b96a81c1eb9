package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/library/sidecar/document"
	"github.com/outrigger-charts/outrigger/tests/harness"
)

const seeded = `
outrigger:
  images: {outrigger: "registry.example/outrigger:1"}
  volumes: {html: {mountPath: /html, seed: true}}
`

func volumeOf(t *testing.T, pod corev1.PodTemplateSpec, name string) corev1.Volume {
	t.Helper()
	for _, volume := range pod.Spec.Volumes {
		if volume.Name == name {
			return volume
		}
	}
	t.Fatalf("the pod has no volume %s", name)
	return corev1.Volume{}
}

func TestTheProgramIsCopiedToContainersOfOtherImages(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+seeded)

	install := container(t, pod, "outrigger-install")
	assert.Equal(t, "registry.example/outrigger:1", install.Image)
	assert.Equal(t, []string{"/outrigger", "install", "/outrigger-program"}, install.Command)
	assert.Equal(t, []corev1.VolumeMount{{Name: "outrigger-program", MountPath: "/outrigger-program"}}, install.VolumeMounts)
	assert.Equal(t, "64Mi", volumeOf(t, pod, "outrigger-program").EmptyDir.SizeLimit.String())
	assert.Contains(t, container(t, pod, "html-seed").VolumeMounts,
		corev1.VolumeMount{Name: "outrigger-program", MountPath: "/outrigger-program", ReadOnly: true})
}

func TestTheProgramIsAVolumeWhereTheClusterHasImageVolumes(t *testing.T) {
	t.Parallel()
	newest := harness.Settings{KubeVersion: "v1.35.0"}
	values := appPod + seeded + "  defaults: {tools: image}\n"
	pod := harness.Find[*appsv1.Deployment](t, harness.Consumer(t).Render(t, values, newest)).Spec.Template

	assert.Equal(t, []string{"html-seed"}, containerNames(pod.Spec.InitContainers), "nothing is copied")
	assert.Equal(t, "registry.example/outrigger:1", volumeOf(t, pod, "outrigger-program").Image.Reference)

	elsewhere := harness.Find[*appsv1.Deployment](t, harness.Consumer(t).Render(t, values+"global: {imageRegistry: mirror.example}\n", newest)).Spec.Template
	assert.Equal(t, "mirror.example/outrigger:1", volumeOf(t, elsewhere, "outrigger-program").Image.Reference)

	message := harness.Consumer(t).RenderError(t, values, harness.Settings{KubeVersion: "v1.34.9"})
	assert.Contains(t, message, "outrigger.defaults.tools: Kubernetes has image volumes on from 1.35 on and this is rendered for v1.34.9; set copy, ")
}

func TestAPodWithoutAContainerOfAnotherImagesGetsNoProgram(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, appPod+`outrigger: {volumes: {html: {mountPath: /html}}, containers: {beside: {image: "b:1"}}}`)

	assert.Equal(t, []string{"beside"}, containerNames(pod.Spec.InitContainers))
	assert.Len(t, pod.Spec.Volumes, 1)
}

func TestNoConfigMapIsLeftBesidePodsOfTokensAndPgbouncerHooksIncluded(t *testing.T) {
	t.Parallel()
	const hook = `dict "context" . "podTemplate" .Values.pod "workload" "migrate" "hook" "pre-install,pre-upgrade"`
	const job = "pod: {spec: {restartPolicy: Never, containers: [{name: app, image: \"app:1\"}]}}\n"
	for name, test := range map[string]struct {
		chart  harness.Chart
		values string
	}{
		"a Deployment": {harness.Consumer(t), appPod},
		"a hook that the library prints": {harness.NewChart(t, map[string]string{
			"templates/migrate.yaml":   `{{ include "outrigger.job" (` + hook + `) }}`,
			"templates/outrigger.yaml": `{{ include "outrigger.objects" . }}`,
		}), job},
		"a hook of the author's": {harness.NewChart(t, map[string]string{
			"templates/migrate.yaml": `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
spec:
  template:
    {{- include "outrigger.podTemplate" (` + hook + `) | nindent 4 }}
{{ include "outrigger.objects" (dict "context" . "workload" "migrate" "hook" "pre-install,pre-upgrade") }}`,
		}), job},
	} {
		t.Run(name, func(t *testing.T) {
			objects := test.chart.Render(t, test.values+refreshed)

			require.Len(t, objects, 1, "the workload alone")
			var pod corev1.PodTemplateSpec
			switch workload := objects[0].(type) {
			case *appsv1.Deployment:
				pod = workload.Spec.Template
			case *batchv1.Job:
				pod = workload.Spec.Template
			}
			assert.Subset(t, containerNames(append(pod.Spec.InitContainers, pod.Spec.Containers...)), []string{"token", "db"})
			for _, volume := range pod.Spec.Volumes {
				assert.Nil(t, volume.ConfigMap, volume.Name)
			}
		})
	}
}

// documentOf reads what a container's program is to do, as the kubelet hands it over.
func documentOf[Part any](t *testing.T, container corev1.Container, verb string) (part Part) {
	t.Helper()
	text := strings.ReplaceAll(variables(container)[document.Variable], "$$", "$")
	require.NoError(t, document.Read([]byte(text), verb, &part), text)
	return part
}

func TestADocumentThatNoPodCouldCarryIsRefused(t *testing.T) {
	t.Parallel()
	entry := func(name string, bytes int) string {
		return fmt.Sprintf(`
    %s:
      ttl: 15m
      file: {path: /%s/f, format: template, template: %q}
      exec: {image: "t:1", command: [print]}
`, name, name, strings.Repeat("x", bytes))
	}
	refreshers := "outrigger:\n  tokenRefreshers:"

	renderPod(t, appPod+refreshers+entry("a", 31<<10))
	long := harness.Consumer(t).RenderError(t, appPod+refreshers+entry("a", 33<<10))
	many := harness.Consumer(t).RenderError(t, appPod+refreshers+entry("a", 31<<10)+entry("b", 31<<10)+entry("c", 31<<10)+entry("d", 31<<10))

	assert.Regexp(t, `1 problem\(s\) .*\n- outrigger.tokenRefreshers.a: makes a document of 34\d{3} bytes for its program, and 32768 are the most`, long)
	assert.Regexp(t, `1 problem\(s\) .*\n- outrigger: the documents of this pod's programs have 12\d{4} bytes together, and 98304 are the most`, many)
}
