{{- /*
Unknown fields in the containers that no schema has seen: the author's, and those of custom patterns. The types are
Kubernetes' own (files/container-fields.json, generated).
Takes: the State
Reports: the problems
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
  {{- include "outrigger-0.1.0.check.type" (dict "state" $state "types" $types "name" (.name | default "") "field" "" "type" "Container" "value" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Holds an object to its type, and what it holds.
Takes: state; types, by name; type, its name; value; name, the container's; field, where the value is in it, or ""
Reports: the problems
*/ -}}
{{- define "outrigger-0.1.0.check.type" -}}
{{- $fields := get .types (trimPrefix "[]" .type) -}}
{{- $items := hasPrefix "[]" .type | ternary .value (list .value) -}}
{{- if kindIs "slice" $items -}}
  {{- range $item := $items -}}
    {{- if kindIs "map" $item -}}
      {{- range $field, $value := $item -}}
        {{- if not (hasKey $fields $field) -}}
          {{- include "outrigger-0.1.0.check.unknownField" (dict "state" $.state "name" $.name "field" $.field "known" $fields "unknown" $field) -}}
        {{- else if and (get $fields $field) $value -}}
          {{- include "outrigger-0.1.0.check.type" (dict "state" $.state "types" $.types "name" $.name
                "field" (list $.field $field | compact | join ".") "type" (get $fields $field) "value" $value) -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
A field that the type does not have, and the known ones that begin alike.
Takes: state; name, the container's; field, where the object is in it; known, the type's fields; unknown, the field
Reports: the problem
*/ -}}
{{- define "outrigger-0.1.0.check.unknownField" -}}
{{- $unknown := .unknown -}}
{{- $alike := list -}}
{{- range $known, $_ := .known -}}
  {{- if eq (lower (trunc 1 $known)) (lower (trunc 1 $unknown)) -}}{{- $alike = append $alike $known -}}{{- end -}}
{{- end -}}
{{- if not $alike -}}{{- $alike = keys .known | sortAlpha -}}{{- end -}}
{{- include "outrigger-0.1.0.kit.containerProblem" (dict "state" .state "name" .name "field" .field
      "message" (printf "Kubernetes knows no field %q here; remove it, or write one of %s" $unknown (include "outrigger-0.1.0.kit.quoteAll" $alike))) -}}
{{- end -}}
