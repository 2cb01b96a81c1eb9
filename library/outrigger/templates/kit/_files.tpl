{{- /*
The files that the state's contributions name or contain.
Takes: the State, with contributions
Prints: names and texts, as YAML, or nothing
Reports: fails where the library has no such file, or cannot be read
*/ -}}
{{- define "outrigger-0.2.0.kit.files" -}}
{{- $state := . -}}
{{- $files := dict -}}
{{- range $contribution := .contributions -}}
  {{- if and (not $state.library.Files) (or .files .texts) -}}
    {{- fail (printf "outrigger: %s needs files of the library's, which chart %q cannot read, as it does not depend on it; add outrigger to the dependencies in its Chart.yaml, or leave the entry out" .path $state.context.Chart.Name) -}}
  {{- end -}}
  {{- range .files -}}
    {{- $text := $state.library.Files.Get (printf "files/%s" .) -}}
    {{- if not $text -}}{{- fail (printf "outrigger: %s: the library has no file files/%s; name one that it has, or bring the text by texts" $contribution.path .) -}}{{- end -}}
    {{- $_ := set $files . $text -}}
  {{- end -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $files "from" .texts) -}}
{{- end -}}
{{- if $files -}}
{{- toYaml $files -}}
{{- end -}}
{{- end -}}

{{- /*
Reads a JSON file of the library's, once in a render, whatever the number of pods.
Takes: library, of the State; file, its path
Sets: .parsed of the library, what its files hold by their paths: nothing where there is no library
*/ -}}
{{- define "outrigger-0.2.0.kit.parse" -}}
{{- if not (hasKey .library "parsed") -}}{{- $_ := set .library "parsed" dict -}}{{- end -}}
{{- if and .library.Files (not (hasKey .library.parsed .file)) -}}{{- $_ := set .library.parsed .file (.library.Files.Get .file | fromJson) -}}{{- end -}}
{{- end -}}
