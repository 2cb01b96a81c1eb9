{{- /*
What the chart's sidecars need outside their pods: the ConfigMap of their scripts, and objects of their patterns' own,
where any is needed.
Takes: the chart's root context, or what outrigger.objects takes for the pods of a Helm hook
Prints: YAML documents, or nothing
Sets: what is remembered of CronJobs
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.2.0.objects.objects" -}}
{{- $state := dict -}}
{{- $arguments := hasKey . "context" | ternary . (dict "context" .) -}}
{{- include "outrigger-0.2.0.pod.state" (dict "state" $state "arguments" $arguments) -}}
{{- include "outrigger-0.2.0.pod.entries" $state -}}
{{- include "outrigger-0.2.0.pod.contributions" $state -}}
{{- range $contribution := $state.contributions -}}
  {{- range .problems -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $contribution.path "message" .) -}}
  {{- end -}}
  {{- if .cronJobs -}}
    {{- with include "outrigger-0.2.0.kit.labelProblem" .name -}}
      {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $contribution.path "message" .) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.2.0.objects.checkOwnCronJobNames" $state -}}
{{- include "outrigger-0.2.0.objects.checkObjectNames" $state -}}
{{- include "outrigger-0.2.0.kit.failWithProblems" $state -}}
{{- include "outrigger-0.2.0.objects.configMap" (dict "state" $state "hookWeight" $arguments.hookWeight) -}}
{{- range $contribution := .hook | default "" | empty | ternary $state.contributions list -}}
  {{- range .objects -}}
    {{- include "outrigger-0.2.0.objects.object" (dict "state" $state "contribution" $contribution "object" .) -}}
  {{- end -}}
  {{- range .cronJobs -}}
    {{- include "outrigger-0.2.0.objects.ownCronJob" (dict "state" $state "contribution" $contribution "cronJob" .) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
An object that a pattern contributes, with the names and labels of the chart's generated objects.
Takes: state; contribution; object, whose metadata.name is what tells it from others of its kind and pattern, and whose
  metadata.labels are added
Prints: a YAML document
Reports: what objects.checkName reports
*/ -}}
{{- define "outrigger-0.2.0.objects.object" -}}
{{- $state := .state -}}
{{- $object := .object -}}
{{- $name := include "outrigger-0.2.0.objects.nameOfObject" . -}}
{{- include "outrigger-0.2.0.objects.checkName" (dict "state" $state "name" $name) -}}
{{- $entry := dict "context" $state.context "key" $state.key "jobPath" .contribution.path "workload" .contribution.name -}}
{{- $labels := include "outrigger-0.2.0.kit.objectLabels" $entry | fromYaml -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $labels "from" $object.metadata.labels) }}
---
apiVersion: {{ $object.apiVersion }}
kind: {{ $object.kind }}
metadata:
  name: {{ $name }}
  namespace: {{ $state.namespace }}
  labels:
    {{- toYaml $labels | nindent 4 }}
{{ with omit $object "apiVersion" "kind" "metadata" }}{{ toYaml . }}{{ end }}
{{- end -}}

{{- /*
The name of an object that a pattern contributes. It has the pattern's values key, as entries of several patterns may have
one name.
Takes: what objects.object takes
Prints: the name
*/ -}}
{{- define "outrigger-0.2.0.objects.nameOfObject" -}}
{{- $pattern := .contribution.path | trimPrefix (printf "%s." .state.key) | trimSuffix (printf ".%s" .contribution.name) | replace "." "-" | kebabcase -}}
{{- include "outrigger-0.2.0.kit.shorten" (printf "%s-outrigger-%s-%s" (include "outrigger-0.2.0.kit.fullname" .state) $pattern .object.metadata.name) -}}
{{- end -}}

{{- /*
Objects of one kind and name: an install would fail half-way, at the second.
Takes: the State, with contributions
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.objects.checkObjectNames" -}}
{{- $state := . -}}
{{- $paths := dict -}}
{{- range $contribution := .contributions -}}
  {{- range .objects -}}
    {{- $made := printf "%s %q" .kind (include "outrigger-0.2.0.objects.nameOfObject" (dict "state" $state "contribution" $contribution "object" .)) -}}
    {{- with get $paths $made -}}
      {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (printf "%s and %s" . $contribution.path)
            "message" (printf "both make a %s; rename one of them, or have the pattern name its objects after their entries" $made)) -}}
    {{- end -}}
    {{- $_ := set $paths $made $contribution.path -}}
  {{- end -}}
{{- end -}}
{{- end -}}
