{{- /*
Sets every key of one dict in another, in place. Unlike sprig's merge it keeps false, 0 and empty values. Takes a list:
the dict to change, the dict to read (or nothing).
*/ -}}
{{- define "outrigger-0.1.0.overlay" -}}
{{- $target := index . 0 -}}
{{- range $key, $value := index . 1 -}}
  {{- $_ := set $target $key $value -}}
{{- end -}}
{{- end -}}

{{- /*
Prints a list of names for a message: "a", "b".
*/ -}}
{{- define "outrigger-0.1.0.quoteAll" -}}
{{- $quoted := list -}}
{{- range . -}}{{- $quoted = append $quoted (quote .) -}}{{- end -}}
{{- join ", " $quoted -}}
{{- end -}}
