// Package render holds the tests that need no cluster: what the library's templates make of values.
package render

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// consumer is a chart whose pod templates come from its values: `pod` makes a Deployment, `job` a Job.
func consumer(t testing.TB) harness.Chart {
	return harness.NewChart(t, map[string]string{
		"templates/deployment.yaml": `
{{- if .Values.pod }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    {{- include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.pod "workload" "web") | nindent 4 }}
{{- end }}`,
		"templates/job.yaml": `
{{- if .Values.job }}
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    {{- include "outrigger.podTemplate" (dict "context" . "podTemplate" .Values.job "workload" "once") | nindent 4 }}
{{- end }}`,
		"templates/outrigger.yaml": `{{ include "outrigger.objects" . }}`,
	})
}

// appPod is a pod template as an author writes it, to be given as values.
const appPod = `
pod:
  metadata: {labels: {app: web}}
  spec:
    containers: [{name: app, image: app:1}]
`

// renderPod renders the consumer's Deployment and returns its pod template.
func renderPod(t testing.TB, values string, settings ...harness.Settings) corev1.PodTemplateSpec {
	t.Helper()
	return harness.Find[*appsv1.Deployment](t, consumer(t).Render(t, values, settings...)).Spec.Template
}

// renderJob renders the consumer's Job and returns its pod template.
func renderJob(t testing.TB, values string, settings ...harness.Settings) corev1.PodTemplateSpec {
	t.Helper()
	return harness.Find[*batchv1.Job](t, consumer(t).Render(t, values, settings...)).Spec.Template
}

func containerNames(containers []corev1.Container) []string {
	var names []string
	for _, container := range containers {
		names = append(names, container.Name)
	}
	return names
}
