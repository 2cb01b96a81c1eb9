{{- /*
The ConfigMap of the files that the state's contributions name. For a hook it is one of a lower weight, so that it is
there when the hook's pod starts, and gone with it.
Takes: state; hookWeight, optional, of the hook
Prints: a YAML document, or nothing
Reports: what objects.checkName reports
*/ -}}
{{- define "outrigger-0.2.0.objects.configMap" -}}
{{- $state := .state -}}
{{- $hookWeight := .hookWeight -}}
{{- with include "outrigger-0.2.0.kit.files" $state -}}
{{- $name := include "outrigger-0.2.0.kit.objectName" $state -}}
{{- include "outrigger-0.2.0.objects.checkName" (dict "state" $state "name" $name) -}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  namespace: {{ $state.namespace }}
  labels:
    {{- include "outrigger-0.2.0.kit.objectLabels" $state | nindent 4 }}
  {{- if $state.hook }}
  annotations:
    helm.sh/hook: {{ $state.hook | quote }}
    helm.sh/hook-weight: {{ sub (int ($hookWeight | default 0)) 1 | quote }}
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
  {{- end }}
data:
  {{- . | nindent 2 }}
{{- end -}}
{{- end -}}
