package fuzz

import (
	"testing"

	"github.com/outrigger-charts/outrigger/tests/harness"
)

// consumer is harness.Consumer with a Job and a CronJob that the library makes, and a pattern of the chart's own.
func consumer(t testing.TB) harness.Chart {
	t.Helper()
	return harness.Consumer(t).With(map[string]string{
		"templates/made.yaml": `
{{- if .Values.made }}
{{ include "outrigger.job" (dict "context" . "podTemplate" .Values.made "workload" "process") }}
---
{{ include "outrigger.cronJob" (dict "context" . "podTemplate" .Values.made "workload" "report") }}
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
