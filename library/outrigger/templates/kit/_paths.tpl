{{- /*
Tells whether a path, or what a glob can match, lies at or below a mountPath.
Takes: mountPath; path, the path or glob
Prints: true, or nothing
*/ -}}
{{- define "outrigger-0.2.0.kit.holds" -}}
{{- $mountPath := .mountPath | trimSuffix "/" -}}
{{- $fixed := regexReplaceAll "/[^/]*[*?\\[].*$" .path "" -}}
{{- if or (eq $fixed $mountPath) (hasPrefix (printf "%s/" $mountPath) $fixed) -}}true{{- end -}}
{{- end -}}
