{{- /*
Prints true where a path, or what a glob can match, lies at or below a mountPath. Takes a list: mountPath, path.
*/ -}}
{{- define "outrigger-0.1.0.kit.holds" -}}
{{- $mountPath := index . 0 | trimSuffix "/" -}}
{{- $fixed := regexReplaceAll "/[^/]*[*?\\[].*$" (index . 1) "" -}}
{{- if or (eq $fixed $mountPath) (hasPrefix (printf "%s/" $mountPath) $fixed) -}}true{{- end -}}
{{- end -}}
