{{- /*
A pod template, a Job or a CronJob in reading order: when it runs, what is short, then the pod; there the containers
as they start, each by its name and image, and the volumes. A spec that is a text is printed as it is.
Takes: the object, or a dict of its spec
Prints: it, as YAML
*/ -}}
{{- define "outrigger-0.2.0.pod.print" -}}
{{- if kindIs "string" .spec -}}
{{- toYaml . -}}
{{- else -}}
{{- with omit . "spec" }}{{ toYaml . }}{{ "\n" }}{{ end -}}
spec:
{{- range $field := list "schedule" "timeZone" "suspend" }}
  {{- if hasKey $.spec $field }}{{ pick $.spec $field | toYaml | nindent 2 }}{{ end }}
{{- end }}
{{- with omit .spec "schedule" "timeZone" "suspend" "jobTemplate" "template" "initContainers" "containers" "volumes" }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $field := list "jobTemplate" "template" }}
  {{- with get $.spec $field }}
  {{ $field }}:
    {{- include "outrigger-0.2.0.pod.print" . | nindent 4 }}
  {{- end }}
{{- end }}
{{- range $field := list "initContainers" "containers" "volumes" }}
  {{- if hasKey $.spec $field }}
  {{ $field }}:
    {{- range chunk 15 (get $.spec $field | default list) }}
      {{- include "outrigger-0.2.0.pod.printItems" . | nindent 4 }}
    {{- else }} {{ kindIs "invalid" (get $.spec $field) | ternary "null" "[]" }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{- /*
Containers or volumes, name and image first. It is one document, cut at its items, which alone begin a line with "- ":
a document for each costs more.
Takes: the list
Prints: it, as YAML
*/ -}}
{{- define "outrigger-0.2.0.pod.printItems" -}}
{{- $parts := list -}}
{{- range . -}}
  {{- $parts = append $parts (dict "name" .name) -}}
  {{- range list (pick . "image") (omit . "name" "image") -}}{{- with . -}}{{- $parts = append $parts . -}}{{- end -}}{{- end -}}
{{- end -}}
{{- toYaml $parts | replace "\n- name:" "\n* name:" | replace "\n- " "\n  " | replace "\n* name:" "\n- name:" -}}
{{- end -}}
