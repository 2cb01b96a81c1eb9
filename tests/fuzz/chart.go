package fuzz

import (
	"testing"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// call begins a template with what it calls the library with: `call` of the values over the given arguments. The objects of
// the chart's own are in `namespace`, as those of charts with a namespaceOverride are.
const call = `
{{- $call := merge (dict "context" $) (.Values.call | default dict) }}
{{- $override := tpl (.Values.namespaceOverride | default "" | toString) $ }}
{{- $namespace := $call.namespace | default $override | default .Release.Namespace }}
`

// consumer is a chart that uses every public name of the library, each where the values have what it needs: `pod` makes a Deployment
// `web`, `job` a Job `once`, `made` a Job and a CronJob that the library makes, `documents` a file for outrigger.manifest,
// `facets` a Deployment by hand. It has a pattern of its own.
func consumer(t testing.TB) harness.Chart {
	t.Helper()
	return harness.NewChart(t, map[string]string{
		"templates/deployment.yaml": `
{{- if .Values.pod }}` + call + `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: {{ $namespace }}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    {{- include "outrigger.podTemplate" (merge (dict "podTemplate" .Values.pod "workload" "web") $call) | nindent 4 }}
{{- end }}`,
		"templates/job.yaml": `
{{- if .Values.job }}` + call + `
apiVersion: batch/v1
kind: Job
metadata:
  name: once
  namespace: {{ $namespace }}
  {{- with $call.hook }}
  annotations: {helm.sh/hook: {{ . | quote }}}
  {{- end }}
spec:
  template:
    {{- include "outrigger.podTemplate" (merge (dict "podTemplate" .Values.job "workload" "once") $call) | nindent 4 }}
{{- end }}`,
		"templates/made.yaml": `
{{- if .Values.made }}` + call + `
{{ include "outrigger.job" (merge (dict "podTemplate" .Values.made "workload" "process") $call) }}
---
{{ include "outrigger.cronJob" (merge (dict "podTemplate" .Values.made "workload" "report") (omit $call "hook")) }}
{{- end }}`,
		"templates/file.yaml": `
{{- define "shop.file" }}
{{- range .Values.documents }}
---
{{ kindIs "string" . | ternary . (toYaml .) }}
{{- end }}
{{- end }}
{{- if .Values.documents }}` + call + `
{{ include "outrigger.manifest" (merge (dict "template" "shop.file") .Values.file (pick $call "context" "namespace")) }}
{{- end }}`,
		"templates/facets.yaml": `
{{- with .Values.facets }}
{{- with $ }}` + call + `
{{- $call = merge (omit .Values.facets "values") (pick $call "context" "namespace") }}
{{- if .Values.facets.values }}{{ $_ := set $call "values" .Values.outrigger }}{{ end }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: facets, namespace: {{ $namespace }}}
spec:
  selector: {matchLabels: {app: facets}}
  template:
    metadata:
      labels: {app: facets}
      annotations:
        by: hand
        {{- include "outrigger.podAnnotations" $call | nindent 8 }}
    spec:
      initContainers:
        {{- include "outrigger.initContainers" $call | nindent 8 }}
      containers:
        - name: {{ $call.container | default "app" }}
          image: app:1
          env:
            {{- include "outrigger.env" $call | nindent 12 }}
          volumeMounts:
            {{- include "outrigger.volumeMounts" $call | nindent 12 }}
        {{- include "outrigger.containers" $call | nindent 8 }}
      volumes:
        {{- include "outrigger.volumes" $call | nindent 8 }}
{{- end }}
{{- end }}`,
		"templates/objects.yaml": call + `
{{ include "outrigger.objects" (pick $call "context" "namespace") }}
{{- if and $call.hook .Values.job }}
{{ include "outrigger.objects" (merge (dict "workload" "once") $call) }}
{{- end }}`,
		"templates/NOTES.txt": `
{{- if .Values.notes }}` + call + `
{{- range list "nightly" "a" }}
{{ include "outrigger.objectName" (dict "context" $ "pattern" "backups" "entry" . "task" "restore") }}
{{- end }}
{{- $pod := .Values.pod | default .Values.job }}
{{- with $pod }}{{ $call = merge (dict "podTemplate" . "workload" (empty $.Values.pod | ternary "once" "web")) $call }}{{ end }}
{{ include "outrigger.notes" $call }}
{{ if $pod }}{{ include "outrigger.effectiveResources" $call }}{{ end }}
{{- end }}`,
		"templates/_greeter.tpl": `
{{- define "outrigger.pattern.greeter" }}
order: 300
sidecars:
  - name: {{ .name }}
    image: greeter:1
    args: [{{ .config.greeting | default "" | quote }}]
{{- end }}`,
	})
}
