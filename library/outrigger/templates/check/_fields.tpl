{{- /*
Unknown fields in the containers of custom patterns, which no schema has seen.
Takes: the State
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.fields" -}}
{{- $state := . -}}
{{- $containers := list -}}
{{- range .contributions -}}
  {{- if hasPrefix "outrigger.pattern." .template -}}{{- $containers = concat $containers (.containers | default list) (.sidecars | default list) (.initContainers | default list) -}}{{- end -}}
{{- end -}}
{{- if $containers -}}
{{- include "outrigger-0.2.0.check.types" . -}}
{{- if .types -}}
{{- range $containers -}}
  {{- include "outrigger-0.2.0.check.type" (dict "state" $state "types" $state.types "name" (.name | default "") "field" "" "type" "Container" "value" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The types of Kubernetes' own that a container is made of (files/container-fields.json, generated).
Takes: the State
Sets: .types, by name; nothing where the library's files are not there
*/ -}}
{{- define "outrigger-0.2.0.check.types" -}}
{{- if .library.Files -}}
  {{- include "outrigger-0.2.0.kit.parse" (dict "library" .library "file" "files/container-fields.json") -}}
  {{- $_ := set . "types" (get .library.parsed "files/container-fields.json") -}}
{{- end -}}
{{- end -}}

{{- /*
Holds an object to its type, and what it holds.
Takes: state; types, by name; type, its name; value; name, the container's; field, where the value is in it, or ""; shapes,
  optional, a dict
Sets: .broken of shapes, where a value is no list or no object as the type has it
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.type" -}}
{{- $texts := list "name" "mountPath" "protocol" "restartPolicy" -}}{{- /* what others read as texts */ -}}
{{- $fields := get .types (trimPrefix "[]" .type) -}}
{{- $items := hasPrefix "[]" .type | ternary .value (list .value) -}}
{{- if not (kindIs "slice" $items) -}}
  {{- include "outrigger-0.2.0.check.misshapen" (dict "call" . "value" $items "wanted" "a list; write - before each of its items") -}}
{{- else -}}
  {{- range $item := $items -}}
    {{- if not (kindIs "map" $item) -}}
      {{- include "outrigger-0.2.0.check.misshapen" (dict "call" $ "value" $item "wanted" "an object with fields") -}}
    {{- else -}}
      {{- if and (has $.type (list "[]EnvVar" "[]VolumeMount")) (kindIs "invalid" $item.name) -}}
        {{- include "outrigger-0.2.0.check.misshapen" (dict "call" $ "value" $item "wanted" "an object with a name; write name: and what else it has") -}}
      {{- end -}}
      {{- range $field, $value := $item -}}
        {{- if not (hasKey $fields $field) -}}
          {{- include "outrigger-0.2.0.check.unknownField" (dict "state" $.state "name" $.name "field" $.field "known" $fields "unknown" $field) -}}
        {{- else if and (has $field $texts) (not (kindIs "string" $value)) (not (kindIs "invalid" $value)) -}}
          {{- include "outrigger-0.2.0.check.misshapen" (dict "call" (set (omit $ "field") "field" (list $.field $field | compact | join "."))
                "value" $value "wanted" (printf "a text; write %v in quotes" $value)) -}}
        {{- else if and (get $fields $field) $value -}}
          {{- include "outrigger-0.2.0.check.type" (dict "state" $.state "types" $.types "name" $.name
                "field" (list $.field $field | compact | join ".") "type" (get $fields $field) "value" $value "shapes" $.shapes) -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
A value that is no list or no object.
Takes: call, what check.type takes; value; wanted, what it has to be and the mend
Sets: .broken of the call's shapes
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.check.misshapen" -}}
{{- with .call.shapes -}}{{- $_ := set . "broken" true -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" .call.state "name" .call.name "field" .call.field
      "message" (printf "is %s, and has to be %s" (include "outrigger-0.2.0.check.kind" (dict "value" .value)) .wanted)) -}}
{{- end -}}

{{- /*
A field that the type does not have, and the known ones that begin alike. A cluster that is newer than the types may
know it.
Takes: state; name, the container's; field, where the object is in it; known, the type's fields; unknown, the field
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.check.unknownField" -}}
{{- include "outrigger-0.2.0.kit.parse" (dict "library" .state.library "file" "files/first-versions.json") -}}
{{- if le .state.minor (int64 (get .state.library.parsed "files/first-versions.json").newest) -}}
{{- $unknown := .unknown -}}
{{- $alike := list -}}
{{- range $known, $_ := .known -}}
  {{- if eq (lower (trunc 1 $known)) (lower (trunc 1 $unknown)) -}}{{- $alike = append $alike $known -}}{{- end -}}
{{- end -}}
{{- if not $alike -}}{{- $alike = keys .known | sortAlpha -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" .state "name" .name "field" .field
      "message" (printf "Kubernetes knows no field %q here; remove it, or write one of %s" $unknown (include "outrigger-0.2.0.kit.quoteAll" $alike))) -}}
{{- end -}}
{{- end -}}

{{- /*
What a value is, for a message.
Takes: value
Prints: a map, a list, …
*/ -}}
{{- define "outrigger-0.2.0.check.kind" -}}
{{- get (dict "map" "a map" "slice" "a list" "string" "a text" "bool" "a boolean" "invalid" "null") (kindOf .value) | default "a number" -}}
{{- end -}}
