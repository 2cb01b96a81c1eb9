{{- /*
Unknown fields in the containers that no schema has seen: the author's, and those of custom patterns. Takes the state.
The types are Kubernetes' own (files/container-fields.json, generated).
*/ -}}
{{- define "outrigger-0.1.0.check.fields" -}}
{{- $state := . -}}
{{- include "outrigger-0.1.0.kit.parse" (dict "library" .library "file" "files/container-fields.json") -}}
{{- $types := get .library.parsed "files/container-fields.json" -}}
{{- if $types -}}
{{- $containers := concat .author.containers .author.initContainers -}}
{{- range .contributions -}}
  {{- if hasPrefix "outrigger.pattern." .template -}}{{- $containers = concat $containers (.containers | default list) (.sidecars | default list) (.initContainers | default list) -}}{{- end -}}
{{- end -}}
{{- range $containers -}}
  {{- include "outrigger-0.1.0.check.type" (dict "state" $state "types" $types "container" (.name | default "") "path" "" "type" "Container" "value" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Checks one object against its type, and what it holds. Takes a dict: state, types, container (its name), path (in it),
type, value.
*/ -}}
{{- define "outrigger-0.1.0.check.type" -}}
{{- $fields := get .types (trimPrefix "[]" .type) -}}
{{- $items := hasPrefix "[]" .type | ternary .value (list .value) -}}
{{- if kindIs "slice" $items -}}
  {{- range $item := $items -}}
    {{- if kindIs "map" $item -}}
      {{- range $field, $value := $item -}}
        {{- if not (hasKey $fields $field) -}}
          {{- include "outrigger-0.1.0.check.unknownField" (list $ $fields $field) -}}
        {{- else if and (get $fields $field) $value -}}
          {{- include "outrigger-0.1.0.check.type" (dict "state" $.state "types" $.types "container" $.container
                "path" (list $.path $field | compact | join ".") "type" (get $fields $field) "value" $value) -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Adds the problem of an unknown field, with the known ones that begin alike. Takes a list: what checkType takes, the
known fields, the field.
*/ -}}
{{- define "outrigger-0.1.0.check.unknownField" -}}
{{- $at := index . 0 -}}
{{- $field := index . 2 -}}
{{- $alike := list -}}
{{- range $known, $_ := index . 1 -}}
  {{- if eq (lower (trunc 1 $known)) (lower (trunc 1 $field)) -}}{{- $alike = append $alike $known -}}{{- end -}}
{{- end -}}
{{- if not $alike -}}{{- $alike = keys (index . 1) | sortAlpha -}}{{- end -}}
{{- include "outrigger-0.1.0.kit.containerProblem" (dict "state" $at.state "name" $at.container "field" $at.path
      "message" (printf "Kubernetes knows no field %q here; remove it, or write one of %s" $field (include "outrigger-0.1.0.kit.quoteAll" $alike))) -}}
{{- end -}}
