{{- /*
The pod template with its sidecars.
Takes: what outrigger.podTemplate takes
Prints: it, as YAML
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.2.0.pod.podTemplate" -}}
{{- $state := dict -}}
{{- include "outrigger-0.2.0.pod.composed" (dict "state" $state "arguments" .) -}}
{{- include "outrigger-0.2.0.pod.print" $state.podTemplate -}}
{{- end -}}

{{- /*
The way of a pod template through the library: read, collect, compose, check.
Takes: state, a dict that becomes the State; arguments, of outrigger.podTemplate
Sets: the State, with the composed .podTemplate
Reports: fails with every problem found
*/ -}}
{{- define "outrigger-0.2.0.pod.composed" -}}
{{- $state := .state -}}
{{- include "outrigger-0.2.0.pod.readAndCollect" . -}}
{{- include "outrigger-0.2.0.pod.compose" $state -}}
{{- include "outrigger-0.2.0.check.pod" $state -}}
{{- end -}}

{{- /*
Reads the author's pod template and collects what its sidecars contribute.
Takes: state, a dict that becomes the State; arguments, of outrigger.podTemplate
Sets: the State, with contributions
Reports: fails where there is no pod template, or one that is not of Kubernetes' shape
*/ -}}
{{- define "outrigger-0.2.0.pod.readAndCollect" -}}
{{- $state := .state -}}
{{- include "outrigger-0.2.0.pod.state" . -}}
{{- include "outrigger-0.2.0.pod.read" . -}}
{{- range compact (list $state.workload $state.object) -}}
  {{- include "outrigger-0.2.0.kit.remember" (dict "library" $state.library "kind" "workloads" "key" . "value" true) -}}
{{- end -}}
{{- include "outrigger-0.2.0.pod.chooseForm" $state -}}
{{- include "outrigger-0.2.0.check.shape" $state -}}
{{- include "outrigger-0.2.0.pod.entries" $state -}}
{{- include "outrigger-0.2.0.pod.contributions" $state -}}
{{- end -}}
