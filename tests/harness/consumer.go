package harness

import "testing"

// Consumer returns a chart whose pod templates come from its values: `pod` makes a Deployment `web`, `job` a Job
// `once`. Both are named as the workload of the same name.
func Consumer(t testing.TB) Chart {
	t.Helper()
	return NewChart(t, map[string]string{
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
