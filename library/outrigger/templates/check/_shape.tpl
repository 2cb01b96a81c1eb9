{{- /*
Ends the render where the author's pod template is not of the shape that Kubernetes' types have, which no schema has seen and
what comes next relies on; and tells unknown fields of its containers.
Takes: the State, as pod.read leaves it
Reports: the problems, and fails where what is wrong is a shape
*/ -}}
{{- define "outrigger-0.2.0.check.shape" -}}
{{- $state := . -}}
{{- include "outrigger-0.2.0.check.types" . -}}
{{- $shapes := dict "broken" false -}}
{{- $messages := list -}}
{{- range $list := list "initContainers" "containers" "volumes" -}}
  {{- $items := get $state.podTemplate.spec $list -}}
  {{- if kindIs "slice" $items -}}
    {{- range $index, $item := $items -}}
      {{- $where := printf "spec.%s[%d]" $list $index -}}
      {{- $name := (kindIs "map" $item | ternary $item dict).name -}}
      {{- if not (kindIs "map" $item) -}}
        {{- $kind := include "outrigger-0.2.0.check.kind" (dict "value" $item) -}}
        {{- $messages = append $messages (printf "%s is %s, and has to be an object with fields; write name: and what else it has" $where $kind) -}}
      {{- else if not $name -}}
        {{- $messages = append $messages (printf "%s has no name; give it one (in quotes where it is a word that YAML reads as true or false: y, n, on, off, no)" $where) -}}
      {{- else if not (kindIs "string" $name) -}}
        {{- $kind := include "outrigger-0.2.0.check.kind" (dict "value" $name) -}}
        {{- $messages = append $messages (printf "%s.name is %s, %v, and has to be a text; write it in quotes" $where $kind $name) -}}
      {{- else if and $state.types (ne $list "volumes") -}}
        {{- include "outrigger-0.2.0.check.type" (dict "state" $state "types" $state.types "name" $name "field" ""
              "type" "Container" "value" $item "shapes" $shapes) -}}
      {{- end -}}
    {{- end -}}
  {{- else if $items -}}
    {{- $kind := include "outrigger-0.2.0.check.kind" (dict "value" $items) -}}
    {{- $messages = append $messages (printf "spec.%s is %s, and has to be a list; write - before each of its items" $list $kind) -}}
  {{- end -}}
{{- end -}}
{{- $found := dict "podTemplate" $state.podTemplate "messages" $messages -}}
{{- include "outrigger-0.2.0.check.shapesOfPod" $found -}}
{{- $messages = $found.messages -}}
{{- range $messages -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" "the pod template" "message" .) -}}
{{- end -}}
{{- if or $messages $shapes.broken -}}{{- include "outrigger-0.2.0.kit.failWithProblems" $state -}}{{- end -}}
{{- end -}}

{{- /*
What is no object, no list or no text among the fields of a pod template, beside its containers and volumes, that the library reads.
Takes: podTemplate; messages, a list
Sets: .messages, with what is wrong
*/ -}}
{{- define "outrigger-0.2.0.check.shapesOfPod" -}}
{{- $found := . -}}
{{- $spec := .podTemplate.spec -}}
{{- $metadata := kindIs "map" .podTemplate.metadata | ternary .podTemplate.metadata dict -}}
{{- $resources := kindIs "map" $spec.resources | ternary $spec.resources dict -}}
{{- $wanted := dict "map" "an object with fields" "slice" "a list; write - before each of its items" "string" "a text" -}}
{{- $fields := dict
      "map" (dict "metadata" .podTemplate.metadata "metadata.labels" $metadata.labels "metadata.annotations" $metadata.annotations "spec.os" $spec.os
        "spec.securityContext" $spec.securityContext "spec.resources" $spec.resources
        "spec.resources.requests" $resources.requests "spec.resources.limits" $resources.limits)
      "slice" (dict "spec.imagePullSecrets" $spec.imagePullSecrets "spec.resourceClaims" $spec.resourceClaims)
      "string" (dict "spec.restartPolicy" $spec.restartPolicy) -}}
{{- range $index, $claim := kindIs "slice" $spec.resourceClaims | ternary $spec.resourceClaims list -}}
  {{- if not (kindIs "map" $claim) -}}
    {{- $_ := set $found "messages" (append $found.messages (printf "spec.resourceClaims[%d] is %s, and has to be an object with fields" $index (include "outrigger-0.2.0.check.kind" (dict "value" $claim)))) -}}
  {{- end -}}
{{- end -}}
{{- range $kind, $values := $fields -}}
  {{- range $where, $value := $values -}}
    {{- if and $value (not (kindIs $kind $value)) -}}
      {{- $_ := set $found "messages" (append $found.messages (printf "%s is %s, and has to be %s" $where (include "outrigger-0.2.0.check.kind" (dict "value" $value)) (get $wanted $kind))) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}
