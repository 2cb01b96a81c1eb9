{{- /*
The pod template with its sidecars, as YAML. Takes what outrigger.podTemplate takes.
*/ -}}
{{- define "outrigger-0.1.0.pod.podTemplate" -}}
{{- $state := dict -}}
{{- include "outrigger-0.1.0.pod.composed" (list $state .) -}}
{{- include "outrigger-0.1.0.pod.print" $state.podTemplate -}}
{{- end -}}

{{- /*
The pod template's way through the library: read, collect, compose, check. Takes a list: an empty dict, which becomes
the state with the composed .podTemplate; the arguments of outrigger.podTemplate.
*/ -}}
{{- define "outrigger-0.1.0.pod.composed" -}}
{{- $state := index . 0 -}}
{{- include "outrigger-0.1.0.pod.readAndCollect" . -}}
{{- include "outrigger-0.1.0.pod.compose" $state -}}
{{- include "outrigger-0.1.0.check.pod" $state -}}
{{- end -}}

{{- /*
Reads the author's pod template and collects what its sidecars contribute. Takes what outrigger-….pod.composed takes.
*/ -}}
{{- define "outrigger-0.1.0.pod.readAndCollect" -}}
{{- $state := index . 0 -}}
{{- $call := index . 1 -}}
{{- include "outrigger-0.1.0.pod.state" . -}}
{{- include "outrigger-0.1.0.pod.read" . -}}
{{- range $state.library | empty | ternary list (compact (list $state.workload $state.object)) -}}
  {{- include "outrigger-0.1.0.kit.remember" (dict "context" $state.context "kind" "workloads" "key" . "value" true) -}}
{{- end -}}
{{- include "outrigger-0.1.0.pod.chooseForm" $state -}}
{{- include "outrigger-0.1.0.pod.entries" $state -}}
{{- include "outrigger-0.1.0.pod.contributions" $state -}}
{{- end -}}
