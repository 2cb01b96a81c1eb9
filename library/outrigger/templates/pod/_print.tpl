{{- /*
Prints a pod template as YAML, its containers in pieces: one document of very many costs more than they do one by one.
*/ -}}
{{- define "outrigger-0.1.0.pod.print" -}}
{{- with omit . "spec" }}{{ toYaml . }}{{ "\n" }}{{ end -}}
spec:
{{- with omit .spec "containers" "initContainers" }}{{ toYaml . | nindent 2 }}{{ end }}
{{- range $field, $containers := pick .spec "containers" "initContainers" }}
  {{ $field }}:
  {{- range chunk 15 $containers }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end -}}
