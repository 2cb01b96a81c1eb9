package render

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

const printedPod = `{spec: {
  volumes: [{name: v, emptyDir: {}}],
  containers: [{args: [a], env: [{value: b, name: B}], image: "app:1", name: app, volumeMounts: [{mountPath: /v, name: v}]}],
  initContainers: [{args: [a], image: "init:1", name: init}],
  restartPolicy: Never}}`

func TestAReaderMeetsTheScheduleThenThePodAndThereTheContainersAsTheyStartByNameAndImageThenTheVolumes(t *testing.T) {
	t.Parallel()
	pod := []string{"restartPolicy", "initContainers", "name", "image", "args", "containers", "volumes"}
	job := append([]string{"backoffLimit", "template"}, pod...)
	cronJob := append([]string{"schedule", "timeZone", "suspend", "concurrencyPolicy", "jobTemplate"}, job...)
	object := func(kind, spec string) string {
		return harness.Wrapped("shop.file", "{apiVersion: v1, kind: "+kind+", metadata: {name: web}, spec: "+spec+"}")
	}
	for name, test := range map[string]struct {
		file   string
		values string
		order  []string
	}{
		"outrigger.podTemplate": {
			file:  "kind: PodTemplate\napiVersion: v1\nspec:\n  {{- include \"outrigger.podTemplate\" (dict \"context\" . \"podTemplate\" .Values.pod) | nindent 2 }}",
			order: pod,
		},
		"outrigger.job": {
			file:  `{{ include "outrigger.job" (dict "context" . "podTemplate" .Values.pod "workload" "process") }}`,
			order: job,
		},
		"outrigger.cronJob": {
			file:   `{{ include "outrigger.cronJob" (dict "context" . "podTemplate" .Values.pod "workload" "report") }}`,
			values: `outrigger: {cronJobs: {report: {schedule: "0 * * * *", timeZone: Etc/UTC, suspend: true}}}`,
			order:  cronJob,
		},
		"a Pod of outrigger.manifest": {file: object("Pod", `{{ toJson .Values.pod.spec }}`), order: pod},
		"a Job of outrigger.manifest": {
			file:  object("Job", `{backoffLimit: 1, template: {{ toJson .Values.pod }}}`),
			order: job,
		},
		"a CronJob of outrigger.manifest": {
			file: object("CronJob", `{concurrencyPolicy: Forbid, schedule: "0 * * * *", suspend: true, timeZone: Etc/UTC,
  jobTemplate: {spec: {backoffLimit: 1, template: {{ toJson .Values.pod }}}}}`),
			order: cronJob,
		},
		"a restore of the library's": {
			file:   `{{ include "outrigger.objects" . }}`,
			values: nightly,
			order: []string{"schedule", "suspend", "concurrencyPolicy", "jobTemplate", "backoffLimit", "template", "restartPolicy",
				"initContainers", "name", "image", "containers", "volumes"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			chart := shapes(t, map[string]string{"templates/file.yaml": test.file, "values.yaml": "pod: " + printedPod})

			text := chart.RenderTexts(t, test.values)["shop/templates/file.yaml"]

			_, spec, _ := strings.Cut(text[strings.LastIndex(text, "\nkind: ")+1:], "\nspec:")
			assert.Equal(t, test.order, inOrder(spec, test.order), text)
		})
	}
}

// inOrder returns the keys in the order in which a reader of YAML meets them first.
func inOrder(text string, keys []string) []string {
	var met []string
	for _, match := range regexp.MustCompile(`(?m)^ *(?:- )?(\w+):`).FindAllStringSubmatch(text, -1) {
		if slices.Contains(keys, match[1]) && !slices.Contains(met, match[1]) {
			met = append(met, match[1])
		}
	}
	return met
}

func TestWhatIsPrintedIsWhatIsMeantWhateverTheTextsLookLike(t *testing.T) {
	t.Parallel()
	pod := renderPod(t, `
pod:
  metadata: {labels: {app: web}}
  spec:
    containers:
      - {name: "1", image: "0x10", args: ["a\n- name: b\n", "\n- image: c"]}
      - {name: last, image: "last:1"}
    volumes: [{name: "true", image: {reference: "1e3"}}]
`)

	assert.Equal(t, []string{"1", "last"}, containerNames(pod.Spec.Containers))
	assert.Equal(t, "0x10", pod.Spec.Containers[0].Image)
	assert.Equal(t, []string{"a\n- name: b\n", "\n- image: c"}, pod.Spec.Containers[0].Args)
	assert.Equal(t, "true", pod.Spec.Volumes[0].Name)
	assert.Equal(t, &corev1.ImageVolumeSource{Reference: "1e3"}, pod.Spec.Volumes[0].Image)
}
