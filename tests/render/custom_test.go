package render

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// tailing returns a chart whose custom pattern uses a script of the library's, a text of its own, the tools and the program.
func tailing(t testing.TB, file string) harness.Chart {
	return harness.Consumer(t).With(map[string]string{"templates/_tailing.tpl": `
{{- define "outrigger.pattern.tailing" }}
tools: true
program: true
files: [` + file + `]
texts:
  {{ .name }}.conf: {{ .config.text | quote }}
sidecars:
  - name: {{ .name }}
    image: registry.example/tailing:1.0
    command: [/outrigger-tools/busybox, sh, /outrigger/logshipper.sh]
initContainers:
  - name: {{ .name }}-first
    image: registry.example/tailing:1.0
    command: [/outrigger-program/outrigger, status]
{{- end }}`})
}

const tailed = appPod + `outrigger: {custom: {tailing: {tail: {text: "level = info\n"}}}}`

func TestACustomPatternHasTheFilesTextsToolsAndProgramThatItAsksFor(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join(harness.Root(), "library/outrigger/files/logshipper.sh"))
	require.NoError(t, err)

	objects := tailing(t, "logshipper.sh").Render(t, tailed)

	files := harness.Find[*corev1.ConfigMap](t, objects)
	assert.Equal(t, map[string]string{"logshipper.sh": string(script), "tail.conf": "level = info\n"}, files.Data)
	spec := harness.Find[*appsv1.Deployment](t, objects).Spec.Template.Spec
	assert.Equal(t, []string{"outrigger-tools", "outrigger-install", "tail-first", "tail"}, containerNames(spec.InitContainers))
	mounts := []corev1.VolumeMount{
		{Name: "outrigger-files", MountPath: "/outrigger", ReadOnly: true},
		{Name: "outrigger-tools", MountPath: "/outrigger-tools", ReadOnly: true},
		{Name: "outrigger-program", MountPath: "/outrigger-program", ReadOnly: true},
	}
	assert.ElementsMatch(t, mounts, spec.InitContainers[2].VolumeMounts)
	assert.ElementsMatch(t, mounts, spec.InitContainers[3].VolumeMounts)
	assert.Empty(t, spec.Containers[0].VolumeMounts, "the app has no part in them")
	volumes := map[string]corev1.VolumeSource{}
	for _, volume := range spec.Volumes {
		volumes[volume.Name] = volume.VolumeSource
	}
	assert.Equal(t, files.Name, volumes["outrigger-files"].ConfigMap.Name)
	assert.NotNil(t, volumes["outrigger-tools"].EmptyDir)
	assert.NotNil(t, volumes["outrigger-program"].EmptyDir)
}

func TestAFileThatTheLibraryDoesNotHaveIsToldWithTheEntryThatAsksForIt(t *testing.T) {
	t.Parallel()
	message := tailing(t, "seed.sh").RenderError(t, tailed)

	assert.Contains(t, message, `outrigger.custom.tailing.tail: the library has no file files/seed.sh; name one that it has, or bring the text by texts`)
}
