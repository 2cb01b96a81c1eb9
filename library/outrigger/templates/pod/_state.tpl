{{- /*
Fills the dict that one call works on. Takes a list: the dict, the arguments of the call.

  context   the chart's root context          key       the library's values key, as problems name it
  values    the library's values, read only, without nulls   library   the subchart (Files, Chart)
  workload  the workload's name, or ""        problems  messages, each with a values path and the mend
  hook      the Helm hooks that the pod belongs to, or ""       namespace  that of the objects that the call prints
  settings  the values of this workload: those under workloads.<workload> over those of all
  env       variables that the values give: app, a list for the author's containers; sidecars, one for the library's;
            paths, where in the values each is, by app.<name> and sidecars.<name>
  origins   the pod's contributed containers, name to values paths    sidecars  the names of those that are sidecars
  object    set by the caller where it knows it: the name of the pod's object, by which entries select the pod too
  title     likewise: its kind and name, for problems and notes
*/ -}}
{{- define "outrigger-0.1.0.pod.state" -}}
{{- $state := index . 0 -}}
{{- $call := index . 1 -}}
{{- $found := dict "context" $call.context "given" $call.values -}}
{{- include "outrigger.find" $found -}}
{{- if kindIs "map" $call.values -}}
  {{- $global := dict "global" ($call.context.Values.global | default dict) -}}
  {{- $_ := set $found "values" (mustMergeOverwrite (include "outrigger-0.1.0.kit.defaultValues" . | fromYaml) $global (deepCopy $call.values)) -}}
{{- end -}}
{{- $given := dict "value" $found.values -}}
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
  {{- include "outrigger-0.1.0.kit.overlay" (list $settings (omit (get ($values.workloads | default dict) . | default dict) "env")) -}}
{{- end -}}
{{- $_ := set $state "context" $call.context -}}
{{- $_ := set $state "key" $found.key -}}
{{- $_ := set $state "library" $found.library -}}
{{- $_ := set $state "values" $values -}}
{{- $_ := set $state "settings" $settings -}}
{{- $_ := set $state "workload" $workload -}}
{{- $_ := set $state "hook" ($call.hook | default "") -}}
{{- $_ := set $state "namespace" (include "outrigger-0.1.0.kit.namespace" $call) -}}
{{- $_ := set $state "problems" list -}}
{{- $_ := set $state "origins" dict -}}
{{- $_ := set $state "sidecars" list -}}
{{- include "outrigger-0.1.0.pod.env" $state -}}
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
