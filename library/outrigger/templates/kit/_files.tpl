{{- /*
Prints the files that the state's contributions name or contain, as YAML: name and text.
*/ -}}
{{- define "outrigger-0.1.0.kit.files" -}}
{{- $state := . -}}
{{- $files := dict -}}
{{- range $contribution := .contributions -}}
  {{- if and (not $state.library) (or .files .texts) -}}
    {{- fail (printf "outrigger: %s needs files of the library's, which chart %q cannot read, as it does not depend on it; add outrigger to the dependencies in its Chart.yaml, or leave the entry out" .path $state.context.Chart.Name) -}}
  {{- end -}}
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

{{- /*
Sets .parsed of the library's subchart to what its JSON files hold, by their paths: each is read once in a render, whatever the
number of pods; nothing where there is no subchart. Takes a dict: library (of the state), file.
*/ -}}
{{- define "outrigger-0.1.0.kit.parse" -}}
{{- if not (hasKey .library "parsed") -}}{{- $_ := set .library "parsed" dict -}}{{- end -}}
{{- if and .library.Files (not (hasKey .library.parsed .file)) -}}{{- $_ := set .library.parsed .file (.library.Files.Get .file | fromJson) -}}{{- end -}}
{{- end -}}
