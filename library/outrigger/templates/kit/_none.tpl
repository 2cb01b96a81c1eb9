{{- /*
Leaves out of a map what is turned off: what is `none`, the word by which values turn a default of the library's off, or
null.
Takes: fields, the map
Sets: what is in fields
*/ -}}
{{- define "outrigger-0.2.0.kit.dropNone" -}}
{{- $fields := .fields -}}
{{- range $field, $value := $fields -}}
  {{- if or (kindIs "invalid" $value) (and (kindIs "string" $value) (eq $value "none")) -}}{{- $_ := unset $fields $field -}}{{- end -}}
{{- end -}}
{{- end -}}
