{{- /*
Prints the files that the state's contributions name or contain, as YAML: name and text.
*/ -}}
{{- define "outrigger-0.1.0.kit.files" -}}
{{- $state := . -}}
{{- $files := dict -}}
{{- range .contributions -}}
  {{- range .files -}}
    {{- $text := $state.library.Files.Get (printf "files/%s" .) -}}
    {{- if not $text -}}{{- fail (printf "outrigger: the library has no file files/%s, or it is empty" .) -}}{{- end -}}
    {{- $_ := set $files . $text -}}
  {{- end -}}
  {{- include "outrigger-0.1.0.kit.overlay" (list $files .texts) -}}
{{- end -}}
{{- if $files -}}
{{- toYaml $files -}}
{{- end -}}
{{- end -}}
