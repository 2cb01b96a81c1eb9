{{- /*
The chart's name, and the name of its objects.
*/ -}}
{{- define "static-site.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "static-site.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /*
Labels of every object, and those of them that select the pods.
*/ -}}
{{- define "static-site.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "static-site.selectorLabels" . }}
{{- end }}

{{- define "static-site.selectorLabels" -}}
app.kubernetes.io/name: {{ include "static-site.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /*
What the ConfigMap holds: nginx' configuration and the scripts of the sidecars. The pages have one of their own, as a
change of theirs is the synchroniser's work and no reason to roll the pods.
*/ -}}
{{- define "static-site.config" -}}
nginx.conf: {{ .Files.Get "files/nginx.conf" | quote }}
{{ (.Files.Glob "files/*.sh").AsConfig }}
{{- end }}
