{{- /*
Prints what the chart's sidecars need outside their pods: the ConfigMap of their scripts, and objects of their patterns'
own, where any is needed. Takes the
chart's root context, or what outrigger.objects takes for the pods of a Helm hook.
*/ -}}
{{- define "outrigger-0.1.0.objects" -}}
{{- $work := dict -}}
{{- $call := hasKey . "context" | ternary . (dict "context" .) -}}
{{- include "outrigger-0.1.0.work" (list $work $call) -}}
{{- include "outrigger-0.1.0.entries" $work -}}
{{- include "outrigger-0.1.0.contributions" $work -}}
{{- range $contribution := $work.contributions -}}
  {{- range .problems -}}
    {{- include "outrigger-0.1.0.problem" (list $work $contribution.path .) -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.1.0.failWithProblems" $work -}}
{{- include "outrigger-0.1.0.configMap" (list $work $call) -}}
{{- range $contribution := .hook | default "" | empty | ternary $work.contributions list -}}
  {{- range .objects -}}
    {{- include "outrigger-0.1.0.object" (list $work .) -}}
  {{- end -}}
  {{- range .cronJobs -}}
    {{- include "outrigger-0.1.0.ownCronJob" (list $work $contribution .) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints an object that a pattern contributes, with the names and labels of the chart's generated objects. Takes a list: the
work dict, the object, whose metadata.name is what distinguishes it, and whose metadata.labels are added.
*/ -}}
{{- define "outrigger-0.1.0.object" -}}
{{- $work := index . 0 -}}
{{- $object := index . 1 }}
---
apiVersion: {{ $object.apiVersion }}
kind: {{ $object.kind }}
metadata:
  name: {{ include "outrigger-0.1.0.shorten" (printf "%s-outrigger-%s" (include "outrigger-0.1.0.owner" $work) $object.metadata.name) }}
  namespace: {{ $work.context.Release.Namespace }}
  labels:
    {{- include "outrigger-0.1.0.objectLabels" $work | nindent 4 }}
    {{- with $object.metadata.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{ omit $object "apiVersion" "kind" "metadata" | toYaml }}
{{- end -}}

{{- /*
Prints the ConfigMap of the files that the work dict's contributions name. For a hook it is one of a lower weight, so
that it is there when the hook's pod starts, and gone with it. Takes a list: the work dict, the arguments of the call.
*/ -}}
{{- define "outrigger-0.1.0.configMap" -}}
{{- $work := index . 0 -}}
{{- $call := index . 1 -}}
{{- with include "outrigger-0.1.0.files" $work -}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "outrigger-0.1.0.objectName" $work }}
  namespace: {{ $work.context.Release.Namespace }}
  labels:
    {{- include "outrigger-0.1.0.objectLabels" $work | nindent 4 }}
  {{- if $work.hook }}
  annotations:
    helm.sh/hook: {{ $work.hook | quote }}
    helm.sh/hook-weight: {{ sub (int ($call.hookWeight | default 0)) 1 | quote }}
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
  {{- end }}
data:
  {{- . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /*
Prints the files that the work dict's contributions name or contain, as YAML: name and text.
*/ -}}
{{- define "outrigger-0.1.0.files" -}}
{{- $work := . -}}
{{- $files := dict -}}
{{- range .contributions -}}
  {{- range .files -}}
    {{- $text := $work.library.Files.Get (printf "files/%s" .) -}}
    {{- if not $text -}}{{- fail (printf "outrigger: the library has no file files/%s, or it is empty" .) -}}{{- end -}}
    {{- $_ := set $files . $text -}}
  {{- end -}}
  {{- include "outrigger-0.1.0.overlay" (list $files .texts) -}}
{{- end -}}
{{- if $files -}}
{{- toYaml $files -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the name of the chart's generated objects: one for each chart of a release, and for each workload of a hook.
*/ -}}
{{- define "outrigger-0.1.0.objectName" -}}
{{- $suffix := empty .hook | ternary "outrigger" (printf "outrigger-%s" (.workload | default "hook")) -}}
{{- include "outrigger-0.1.0.shorten" (printf "%s-%s" (include "outrigger-0.1.0.owner" .) $suffix) -}}
{{- end -}}

{{- /*
Prints what the names of a chart's objects begin with: release and chart.
*/ -}}
{{- define "outrigger-0.1.0.owner" -}}
{{- $release := .context.Release.Name -}}
{{- eq $release .context.Chart.Name | ternary $release (printf "%s-%s" $release .context.Chart.Name) -}}
{{- end -}}

{{- /*
Prints what tells the release from others of its name: the cluster, where the values name it, and the namespace. Takes what has
context and values.
*/ -}}
{{- define "outrigger-0.1.0.whereabouts" -}}
{{- compact (list .values.cluster .context.Release.Namespace) | join "/" -}}
{{- end -}}

{{- /*
Prints a name as it is, or, where it has more than 63 characters, cut and ended by a checksum that keeps it unique.
*/ -}}
{{- define "outrigger-0.1.0.shorten" -}}
{{- include "outrigger-0.1.0.fit" (list . 63 "") -}}
{{- end -}}

{{- /*
Prints a name, cut where it is too long and then ended by a checksum. Takes a list: the name, the length that it may have,
and a checksum to end it in any case ("" for none).
*/ -}}
{{- define "outrigger-0.1.0.fit" -}}
{{- $name := index . 0 -}}
{{- $checksum := index . 2 -}}
{{- if and (not $checksum) (gt (len $name) (index . 1)) -}}{{- $checksum = sha256sum $name | trunc 8 -}}{{- end -}}
{{- if $checksum -}}
  {{- $name = printf "%s-%s" (trunc (sub (index . 1) 9 | int) $name | trimSuffix "-") $checksum -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- /*
Prints the labels of the chart's generated objects.
*/ -}}
{{- define "outrigger-0.1.0.objectLabels" -}}
app.kubernetes.io/name: outrigger
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/part-of: {{ .context.Chart.Name }}
app.kubernetes.io/managed-by: {{ .context.Release.Service }}
{{ include "outrigger-0.1.0.chartLabel" . }}
{{- end -}}

{{- /*
Prints the label that names the chart and its version. Takes the work dict.
*/ -}}
{{- define "outrigger-0.1.0.chartLabel" -}}
helm.sh/chart: {{ printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}
