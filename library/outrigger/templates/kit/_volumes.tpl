{{- /*
The volume that a refresher's file lies in.
Takes: call; name, the refresher's; path, the file's
Prints: the volume's name, or nothing where the file lies in one of volumes.<name>
*/ -}}
{{- define "outrigger-0.2.0.kit.tokenVolume" -}}
{{- $call := .call -}}
{{- $path := .path | default "" -}}
{{- $shared := false -}}
{{- range $name, $_ := $call.values.volumes -}}
  {{- $volume := dict "call" $call "pattern" "volumes" "name" $name -}}
  {{- include "outrigger-0.2.0.kit.entry" $volume -}}
  {{- with $volume.config -}}
    {{- if and .mountPath (ne (toString .enabled) "false") (include "outrigger-0.2.0.kit.holds" (dict "mountPath" .mountPath "path" $path)) -}}
      {{- $shared = true -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if not $shared -}}{{- include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-token" .name) -}}{{- end -}}
{{- end -}}

{{- /*
What is wrong with a volume that has more than one source, as Helm makes it of two values files.
Takes: the volume without its name
Prints: the message, or nothing
*/ -}}
{{- define "outrigger-0.2.0.kit.sourcesProblem" -}}
{{- if gt (len .) 1 -}}
  {{- printf "has %d sources, %s, and a volume has one; keep one of them" (len .) (keys . | sortAlpha | join " and ") -}}
{{- end -}}
{{- end -}}
