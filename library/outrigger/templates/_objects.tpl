{{- /*
Prints the ConfigMap of the scripts that the chart's sidecars run, where any is needed. Takes the chart's root context.
*/ -}}
{{- define "outrigger-0.1.0.objects" -}}
{{- $work := dict -}}
{{- include "outrigger-0.1.0.work" (list $work . "") -}}
{{- include "outrigger-0.1.0.contributions" $work -}}
{{- with include "outrigger-0.1.0.files" $work -}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "outrigger-0.1.0.objectName" $work }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "outrigger-0.1.0.objectLabels" $work | nindent 4 }}
data:
  {{- . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /*
Prints the files that the work dict's contributions name, as YAML: name and text.
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
{{- end -}}
{{- if $files -}}
{{- toYaml $files -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the name of the chart's generated objects: one for each chart of a release, at most 63 characters.
*/ -}}
{{- define "outrigger-0.1.0.objectName" -}}
{{- $release := .context.Release.Name -}}
{{- $chart := .context.Chart.Name -}}
{{- $owner := eq $release $chart | ternary $release (printf "%s-%s" $release $chart) -}}
{{- include "outrigger-0.1.0.shorten" (printf "%s-outrigger" $owner) -}}
{{- end -}}

{{- /*
Prints a name as it is, or, where it has more than 63 characters, cut and ended by a checksum that keeps it unique.
*/ -}}
{{- define "outrigger-0.1.0.shorten" -}}
{{- if gt (len .) 63 -}}
{{- printf "%s-%s" (trunc 54 . | trimSuffix "-") (sha256sum . | trunc 8) -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the labels of the chart's generated objects.
*/ -}}
{{- define "outrigger-0.1.0.objectLabels" -}}
app.kubernetes.io/name: outrigger
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/part-of: {{ .context.Chart.Name }}
app.kubernetes.io/managed-by: {{ .context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}
