{{- /*
What the chart's sidecars need outside their pods: the ConfigMap of their scripts, and objects of their patterns' own,
where any is needed.
Takes: the chart's root context, or what outrigger.objects takes for the pods of a Helm hook
Prints: YAML documents, or nothing
Sets: what is remembered of CronJobs
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.1.0.objects.objects" -}}
{{- $state := dict -}}
{{- $arguments := hasKey . "context" | ternary . (dict "context" .) -}}
{{- include "outrigger-0.1.0.pod.state" (dict "state" $state "arguments" $arguments) -}}
{{- include "outrigger-0.1.0.pod.entries" $state -}}
{{- include "outrigger-0.1.0.pod.contributions" $state -}}
{{- range $contribution := $state.contributions -}}
  {{- range .problems -}}
    {{- include "outrigger-0.1.0.kit.problem" (dict "state" $state "path" $contribution.path "message" .) -}}
  {{- end -}}
  {{- if .cronJobs -}}
    {{- with include "outrigger-0.1.0.kit.labelProblem" .name -}}
      {{- include "outrigger-0.1.0.kit.problem" (dict "state" $state "path" $contribution.path "message" .) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.1.0.objects.checkOwnCronJobNames" $state -}}
{{- include "outrigger-0.1.0.kit.failWithProblems" $state -}}
{{- include "outrigger-0.1.0.objects.configMap" (dict "state" $state "hookWeight" $arguments.hookWeight) -}}
{{- range $contribution := .hook | default "" | empty | ternary $state.contributions list -}}
  {{- range .objects -}}
    {{- include "outrigger-0.1.0.objects.object" (dict "state" $state "contribution" $contribution "object" .) -}}
  {{- end -}}
  {{- range .cronJobs -}}
    {{- include "outrigger-0.1.0.objects.ownCronJob" (dict "state" $state "contribution" $contribution "cronJob" .) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
An object that a pattern contributes, with the names and labels of the chart's generated objects.
Takes: state; contribution; object, whose metadata.name is what distinguishes it, and whose metadata.labels are added
Prints: a YAML document
Reports: what objects.checkName reports
*/ -}}
{{- define "outrigger-0.1.0.objects.object" -}}
{{- $state := .state -}}
{{- $object := .object -}}
{{- $name := include "outrigger-0.1.0.kit.shorten" (printf "%s-outrigger-%s" (include "outrigger-0.1.0.kit.fullname" $state) $object.metadata.name) -}}
{{- include "outrigger-0.1.0.objects.checkName" (dict "state" $state "name" $name) -}}
{{- $entry := dict "context" $state.context "key" $state.key "jobPath" .contribution.path "workload" .contribution.name -}}
{{- $labels := include "outrigger-0.1.0.kit.objectLabels" $entry | fromYaml -}}
{{- include "outrigger-0.1.0.kit.overlay" (dict "into" $labels "from" $object.metadata.labels) }}
---
apiVersion: {{ $object.apiVersion }}
kind: {{ $object.kind }}
metadata:
  name: {{ $name }}
  namespace: {{ $state.namespace }}
  labels:
    {{- toYaml $labels | nindent 4 }}
{{ omit $object "apiVersion" "kind" "metadata" | toYaml }}
{{- end -}}
