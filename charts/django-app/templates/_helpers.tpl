{{- /*
The chart's name, and the name of its objects.
*/ -}}
{{- define "django-app.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "django-app.fullname" -}}
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
{{- define "django-app.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "django-app.selectorLabels" . }}
{{- end }}

{{- define "django-app.selectorLabels" -}}
app.kubernetes.io/name: {{ include "django-app.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /*
The ServiceAccount that the pods run as, which is what the database's tokens are signed for.
*/ -}}
{{- define "django-app.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "django-app.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /*
The names by which visitors may ask for the app: those of its Service, the pod's own loopback, and those of the values.
*/ -}}
{{- define "django-app.allowedHosts" -}}
{{- $service := include "django-app.fullname" . }}
{{- $names := list "localhost" "127.0.0.1" $service }}
{{- range list "" ".svc" ".svc.cluster.local" }}
{{- $names = append $names (printf "%s.%s%s" $service $.Release.Namespace .) }}
{{- end }}
{{- concat $names .Values.app.allowedHosts | join " " }}
{{- end }}

{{- /*
What the app and its migrations have in common. Where the database is and who signs in there is said once, under outrigger.
*/ -}}
{{- define "django-app.container" -}}
{{- $proxy := .Values.outrigger.ambassadors.proxy.pgbouncer }}
{{- $token := .Values.outrigger.tokenRefreshers.db }}
{{- $server := $token.awsRds | default dict -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
env:
  - name: SECRET_KEY
    valueFrom:
      secretKeyRef:
        name: {{ .Values.secret }}
        key: secretKey
  - name: ALLOWED_HOSTS
    value: {{ include "django-app.allowedHosts" . | quote }}
  - name: DATABASE_HOST
    value: 127.0.0.1
  - name: DATABASE_PORT
    value: {{ $proxy.listenPort | default 6432 | quote }}
  - name: DATABASE_NAME
    value: {{ $proxy.database | quote }}
  - name: DATABASE_USER
    value: {{ $token.file.user | default $server.user | quote }}
  - name: CONN_MAX_AGE
    value: {{ .Values.app.connMaxAge | quote }}
  - name: THREADS
    value: {{ .Values.app.threads | quote }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- end }}
