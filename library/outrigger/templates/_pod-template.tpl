{{- /*
The pod template's way through the library: read, collect, compose, check, print.
Takes what outrigger.podTemplate takes.
*/ -}}
{{- define "outrigger-0.1.0.podTemplate" -}}
{{- $work := dict -}}
{{- include "outrigger-0.1.0.work" (list $work .context (.workload | default "")) -}}
{{- include "outrigger-0.1.0.readPodTemplate" (list $work .) -}}
{{- include "outrigger-0.1.0.form" $work -}}
{{- include "outrigger-0.1.0.contributions" $work -}}
{{- include "outrigger-0.1.0.compose" $work -}}
{{- include "outrigger-0.1.0.check" $work -}}
{{- toYaml $work.podTemplate -}}
{{- end -}}

{{- /*
Fills the dict that one call works on. Takes a list: the dict, the chart's root context, the workload's name.

  context   the chart's root context          key       the library's values key, as problems name it
  values    the library's values, read only   library   the subchart (Files, Chart)
  workload  the workload's name, or ""        problems  messages, each with a values path and the mend
*/ -}}
{{- define "outrigger-0.1.0.work" -}}
{{- $work := index . 0 -}}
{{- $context := index . 1 -}}
{{- $key := include "outrigger.key" $context -}}
{{- $_ := set $work "context" $context -}}
{{- $_ := set $work "key" $key -}}
{{- $_ := set $work "library" (index $context.Subcharts $key) -}}
{{- $_ := set $work "values" (index $context.Values $key) -}}
{{- $_ := set $work "workload" (index . 2) -}}
{{- $_ := set $work "problems" list -}}
{{- end -}}

{{- /*
Sets .podTemplate of the work dict to a copy of the author's, and .author to the containers, init containers and
volumes as the author wrote them. Takes a list: the work dict, the arguments of outrigger.podTemplate.
*/ -}}
{{- define "outrigger-0.1.0.readPodTemplate" -}}
{{- $work := index . 0 -}}
{{- $call := index . 1 -}}
{{- $podTemplate := dict -}}
{{- if and $call.template $call.podTemplate -}}
  {{- fail "outrigger.podTemplate: both template and podTemplate are given; give one of them" -}}
{{- else if $call.template -}}
  {{- $podTemplate = include $call.template $call.context | fromYaml -}}
  {{- if and (hasKey $podTemplate "Error") (not (hasKey $podTemplate "spec")) -}}
    {{- fail (printf "outrigger.podTemplate: template %q does not print YAML: %s" $call.template $podTemplate.Error) -}}
  {{- end -}}
{{- else if $call.podTemplate -}}
  {{- $podTemplate = deepCopy $call.podTemplate -}}
{{- else -}}
  {{- fail "outrigger.podTemplate: the pod template is missing; give \"template\" (the name of a named template) or \"podTemplate\" (an object)" -}}
{{- end -}}
{{- $spec := $podTemplate.spec | default dict -}}
{{- if not $spec.containers -}}
  {{- fail (printf "outrigger.podTemplate: the pod template %shas no spec.containers; it begins with metadata and spec, as under a Deployment's spec.template" (empty $call.template | ternary "" (printf "%q " $call.template))) -}}
{{- end -}}
{{- $_ := set $work "podTemplate" $podTemplate -}}
{{- $_ := set $work "author" (dict
      "containers" $spec.containers
      "initContainers" ($spec.initContainers | default list)
      "volumes" ($spec.volumes | default list)) -}}
{{- end -}}

{{- /*
Sets .form of the work dict: `native` (an init container with restartPolicy Always, KEP-753, on by default from
Kubernetes 1.29) or `classic` (one more container). The pre-release suffix lets vendors' versions such as
v1.29.3-eks-abc through.
*/ -}}
{{- define "outrigger-0.1.0.form" -}}
{{- $form := .values.mode -}}
{{- if eq $form "auto" -}}
  {{- $form = semverCompare ">=1.29.0-0" .context.Capabilities.KubeVersion.Version | ternary "native" "classic" -}}
{{- end -}}
{{- $_ := set . "form" $form -}}
{{- end -}}
