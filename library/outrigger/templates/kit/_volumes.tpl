{{- /*
Prints the name of the volume that a refresher's file lies in, or nothing where it lies in one of volumes.<name>. Takes
a list: the library's values, the refresher's name, the file's path.
*/ -}}
{{- define "outrigger-0.1.0.kit.tokenVolume" -}}
{{- $path := index . 2 | default "" -}}
{{- $shared := false -}}
{{- range $volume := (index . 0).volumes -}}
  {{- if kindIs "map" $volume -}}
    {{- if and $volume.mountPath (ne (toString $volume.enabled) "false") (include "outrigger-0.1.0.kit.holds" (list $volume.mountPath $path)) -}}{{- $shared = true -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- if not $shared -}}{{- include "outrigger-0.1.0.kit.shorten" (printf "outrigger-%s-token" (index . 1)) -}}{{- end -}}
{{- end -}}

{{- /*
Prints what is wrong with a volume that has more than one source, as Helm makes it of two values files, or nothing. Takes
the dict of its sources.
*/ -}}
{{- define "outrigger-0.1.0.kit.sourcesProblem" -}}
{{- if gt (len .) 1 -}}
  {{- printf "has %d sources, %s, and a volume has one; keep one of them" (len .) (keys . | sortAlpha | join " and ") -}}
{{- end -}}
{{- end -}}
