{{- /*
Fills the dict that one call works on. Takes a list: the dict, the arguments of the call.

  context   the chart's root context          key       the library's values key, as problems name it
  values    the library's values, read only, without nulls   library   the subchart (Files, Chart)
  workload  the workload's name, or ""        problems  messages, each with a values path and the mend
  hook      the Helm hooks that the pod belongs to, or ""       namespace  that of the objects that the call prints
  settings  the values of this workload: those under workloads.<workload> over those of all
  origins   the pod's contributed containers, name to values paths    sidecars  the names of those that are sidecars
  object    set by the caller where it knows it: the name of the pod's object, by which entries select the pod too
  title     likewise: its kind and name, for problems and notes
*/ -}}
{{- define "outrigger-0.1.0.pod.state" -}}
{{- $state := index . 0 -}}
{{- $call := index . 1 -}}
{{- $key := include "outrigger.key" $call.context -}}
{{- $given := dict "value" (index $call.context.Values $key) -}}
{{- include "outrigger-0.1.0.kit.dropNulls" $given -}}
{{- $values := $given.value -}}
{{- if not (and $values.images $values.defaults ($values.defaults | default dict).shutdownSeconds) -}}
  {{- $defaults := omit ($values.defaults | default dict) "shutdownSeconds" -}}
  {{- $_ := set $defaults "shutdownSeconds" (($values.defaults | default dict).shutdownSeconds | default dict) -}}
  {{- $values = set (set (omit $values "images" "defaults") "images" ($values.images | default dict)) "defaults" $defaults -}}
{{- end -}}
{{- if contains "{{" (toJson $values.images) -}}
  {{- $images := dict "value" $values.images -}}
  {{- include "outrigger-0.1.0.kit.evaluate" (list $call.context $images) -}}
  {{- $values = set (omit $values "images") "images" $images.value -}}
{{- end -}}
{{- $workload := $call.workload | default "" -}}
{{- $settings := pick $values "shutdownSeconds" "shareProcessNamespace" -}}
{{- range list $workload ($state.object | default "") -}}
  {{- include "outrigger-0.1.0.kit.overlay" (list $settings (get ($values.workloads | default dict) . | default dict)) -}}
{{- end -}}
{{- $_ := set $state "context" $call.context -}}
{{- $_ := set $state "key" $key -}}
{{- $_ := set $state "library" (index $call.context.Subcharts $key) -}}
{{- $_ := set $state "values" $values -}}
{{- $_ := set $state "settings" $settings -}}
{{- $_ := set $state "workload" $workload -}}
{{- $_ := set $state "hook" ($call.hook | default "") -}}
{{- $_ := set $state "namespace" (include "outrigger-0.1.0.kit.namespace" $call) -}}
{{- $_ := set $state "problems" list -}}
{{- $_ := set $state "origins" dict -}}
{{- $_ := set $state "sidecars" list -}}
{{- end -}}

{{- /*
Sets .kubeVersion of the state (the override in values, or what Helm knows of the cluster) and .form: `native` (an
init container with restartPolicy Always, KEP-753, on by default from Kubernetes 1.29) or `classic` (one more
container). The pre-release suffix lets vendors' versions such as v1.29.3-eks-abc through.
*/ -}}
{{- define "outrigger-0.1.0.pod.chooseForm" -}}
{{- $_ := set . "kubeVersion" (.values.kubeVersion | default .context.Capabilities.KubeVersion.Version) -}}
{{- $_ := set . "hasNative" (semverCompare ">=1.29.0-0" .kubeVersion) -}}
{{- $_ := set . "form" (.values.mode | default "auto") -}}
{{- if eq .form "auto" -}}
  {{- $_ := set . "form" (.hasNative | ternary "native" "classic") -}}
{{- end -}}
{{- end -}}
