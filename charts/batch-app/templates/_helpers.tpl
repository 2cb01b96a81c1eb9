{{- /*
The chart's name, and the name of its objects: the CronJob adds 7 characters to it, and may have 52.
*/ -}}
{{- define "batch-app.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "batch-app.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 45 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /*
What the pods of both workloads have in common: their metadata, and their spec but for the container.
*/ -}}
{{- define "batch-app.podMetadata" -}}
annotations:
  # Changed data or scripts are another Job.
  checksum/config: {{ include "batch-app.config" . | sha256sum }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "batch-app.podSpec" -}}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
volumes:
  - name: scripts
    configMap:
      name: {{ include "batch-app.fullname" . }}
{{- end }}

{{- define "batch-app.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
env:
  - name: ORDERS
    value: /scripts/orders.csv
  - name: LOG
    value: /var/log/batch-app/app.log
  - name: METRICS
    value: /metrics/metrics.txt
  - name: SECONDS_PER_ORDER
    value: {{ .Values.app.secondsPerOrder | quote }}
volumeMounts:
  - name: scripts
    mountPath: /scripts
    readOnly: true
{{- end }}

{{- /*
What the ConfigMap holds: the scripts and the data.
*/ -}}
{{- define "batch-app.config" -}}
{{- (.Files.Glob "files/*.sh").AsConfig }}
orders.csv: {{ .Values.app.orders | quote }}
{{- end }}
