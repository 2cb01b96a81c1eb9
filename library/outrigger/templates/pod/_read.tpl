{{- /*
Reads the author's pod template: a copy, which the library may change.
Takes: state; arguments, of outrigger.podTemplate
Sets: .view, .podTemplate and .author of the state
Reports: fails where there is none, or it is no pod template
*/ -}}
{{- define "outrigger-0.2.0.pod.read" -}}
{{- $state := .state -}}
{{- $arguments := .arguments -}}
{{- $podTemplate := dict -}}
{{- if and $arguments.template $arguments.podTemplate -}}
  {{- fail "outrigger.podTemplate: both template and podTemplate are given; give one of them" -}}
{{- else if $arguments.template -}}
  {{- /* As in a file: Helm prints nothing for what is not there, and a block scalar that ends the text keeps its last newline. */ -}}
  {{- $podTemplate = include $arguments.template $arguments.context | replace "<no value>" "" | trimSuffix "\n" | printf "%s\n" | fromYaml -}}
{{- else if $arguments.podTemplate -}}
  {{- $podTemplate = deepCopy $arguments.podTemplate -}}
{{- else -}}
  {{- fail "outrigger.podTemplate: the pod template is missing; give \"template\" (the name of a named template) or \"podTemplate\" (an object)" -}}
{{- end -}}
{{- if and (hasKey $podTemplate "Error") (not (hasKey $podTemplate "spec")) -}}
  {{- fail (printf "outrigger.podTemplate: %s does not print YAML: %s" (empty $arguments.template | ternary "the pod template" (printf "template %q" $arguments.template)) $podTemplate.Error) -}}
{{- end -}}
{{- $spec := kindIs "map" $podTemplate.spec | ternary $podTemplate.spec dict -}}
{{- if not $spec.containers -}}
  {{- fail (printf "outrigger.podTemplate: the pod template %shas no spec.containers; it begins with metadata and spec, as under a Deployment's spec.template" (empty $arguments.template | ternary "" (printf "%q " $arguments.template))) -}}
{{- end -}}
{{- $_ := set $state "view" "pod" -}}
{{- $_ := set $state "podTemplate" $podTemplate -}}
{{- $_ := set $state "author" (dict
      "containers" $spec.containers
      "initContainers" ($spec.initContainers | default list)
      "volumes" ($spec.volumes | default list)
      "gracePeriod" (not (kindIs "invalid" $spec.terminationGracePeriodSeconds))) -}}
{{- end -}}
