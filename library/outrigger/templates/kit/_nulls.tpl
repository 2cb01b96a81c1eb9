{{- /*
Leaves out what is null, at any depth: so a user takes away what the chart's author wrote. Two keep what they have, as
null means more there: a securityContext, where it takes away the library's own field too, and extraConfig, where it
takes away the collector's.
Takes: value
Sets: .value
*/ -}}
{{- define "outrigger-0.1.0.kit.dropNulls" -}}
{{- $holder := . -}}
{{- /* It is quick to see that there is none, and mostly there is none. */ -}}
{{- if and (or (kindIs "map" .value) (kindIs "slice" .value)) (contains ":null" (toJson .value)) -}}
  {{- if kindIs "map" .value -}}
    {{- $kept := dict -}}
    {{- range $key, $value := .value -}}
      {{- $one := dict "value" $value -}}
      {{- if not (has $key (list "extraConfig" "securityContext")) -}}{{- include "outrigger-0.1.0.kit.dropNulls" $one -}}{{- end -}}
      {{- if not (kindIs "invalid" $value) -}}{{- $_ := set $kept $key $one.value -}}{{- end -}}
    {{- end -}}
    {{- $_ := set $holder "value" $kept -}}
  {{- else -}}
    {{- $kept := list -}}
    {{- range .value -}}
      {{- $one := dict "value" . -}}
      {{- include "outrigger-0.1.0.kit.dropNulls" $one -}}
      {{- $kept = append $kept $one.value -}}
    {{- end -}}
    {{- $_ := set $holder "value" $kept -}}
  {{- end -}}
{{- end -}}
{{- end -}}
