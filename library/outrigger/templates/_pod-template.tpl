{{- /*
The pod template with its sidecars, as YAML. Takes what outrigger.podTemplate takes.
*/ -}}
{{- define "outrigger-0.1.0.podTemplate" -}}
{{- $work := dict -}}
{{- include "outrigger-0.1.0.composed" (list $work .) -}}
{{- include "outrigger-0.1.0.print" $work.podTemplate -}}
{{- end -}}

{{- /*
Prints a pod template as YAML, its containers in pieces: one document of very many costs more than they do one by one.
*/ -}}
{{- define "outrigger-0.1.0.print" -}}
{{- with omit . "spec" }}{{ toYaml . }}{{ "\n" }}{{ end -}}
spec:
{{- with omit .spec "containers" "initContainers" }}{{ toYaml . | nindent 2 }}{{ end }}
{{- range $field, $containers := pick .spec "containers" "initContainers" }}
  {{ $field }}:
  {{- range chunk 15 $containers }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end -}}

{{- /*
The pod template's way through the library: read, collect, compose, check. Takes a list: an empty dict, which becomes
the work dict with the composed .podTemplate; the arguments of outrigger.podTemplate.
*/ -}}
{{- define "outrigger-0.1.0.composed" -}}
{{- $work := index . 0 -}}
{{- include "outrigger-0.1.0.begin" . -}}
{{- include "outrigger-0.1.0.compose" $work -}}
{{- include "outrigger-0.1.0.check" $work -}}
{{- end -}}

{{- /*
Reads the author's pod template and collects what its sidecars contribute. Takes what outrigger-….composed takes.
*/ -}}
{{- define "outrigger-0.1.0.begin" -}}
{{- $work := index . 0 -}}
{{- $call := index . 1 -}}
{{- include "outrigger-0.1.0.work" . -}}
{{- include "outrigger-0.1.0.readPodTemplate" . -}}
{{- include "outrigger-0.1.0.form" $work -}}
{{- include "outrigger-0.1.0.entries" $work -}}
{{- include "outrigger-0.1.0.gracePeriod" $work -}}
{{- include "outrigger-0.1.0.contributions" $work -}}
{{- end -}}

{{- /*
Fills the dict that one call works on. Takes a list: the dict, the arguments of the call.

  context   the chart's root context          key       the library's values key, as problems name it
  values    the library's values, read only   library   the subchart (Files, Chart)
  workload  the workload's name, or ""        problems  messages, each with a values path and the mend
  hook      the Helm hooks that the pod belongs to, or ""
  settings  the values of this workload: those under workloads.<workload> over those of all
*/ -}}
{{- define "outrigger-0.1.0.work" -}}
{{- $work := index . 0 -}}
{{- $call := index . 1 -}}
{{- $key := include "outrigger.key" $call.context -}}
{{- $values := index $call.context.Values $key -}}
{{- /* What a user has set to null is gone. */ -}}
{{- if not (and $values.images $values.defaults ($values.defaults | default dict).shutdownSeconds) -}}
  {{- $defaults := omit ($values.defaults | default dict) "shutdownSeconds" -}}
  {{- $_ := set $defaults "shutdownSeconds" (($values.defaults | default dict).shutdownSeconds | default dict) -}}
  {{- $values = set (set (omit $values "images" "defaults") "images" ($values.images | default dict)) "defaults" $defaults -}}
{{- end -}}
{{- $workload := $call.workload | default "" -}}
{{- $settings := pick $values "shutdownSeconds" "shareProcessNamespace" -}}
{{- include "outrigger-0.1.0.overlay" (list $settings (get ($values.workloads | default dict) $workload | default dict)) -}}
{{- $_ := set $work "context" $call.context -}}
{{- $_ := set $work "key" $key -}}
{{- $_ := set $work "library" (index $call.context.Subcharts $key) -}}
{{- $_ := set $work "values" $values -}}
{{- $_ := set $work "settings" $settings -}}
{{- $_ := set $work "workload" $workload -}}
{{- $_ := set $work "hook" ($call.hook | default "") -}}
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
      "volumes" ($spec.volumes | default list)
      "gracePeriod" (not (kindIs "invalid" $spec.terminationGracePeriodSeconds))) -}}
{{- end -}}

{{- /*
Sets .kubeVersion of the work dict (the override in values, or what Helm knows of the cluster) and .form: `native` (an
init container with restartPolicy Always, KEP-753, on by default from Kubernetes 1.29) or `classic` (one more
container). The pre-release suffix lets vendors' versions such as v1.29.3-eks-abc through.
*/ -}}
{{- define "outrigger-0.1.0.form" -}}
{{- $_ := set . "kubeVersion" (.values.kubeVersion | default .context.Capabilities.KubeVersion.Version) -}}
{{- $_ := set . "hasNative" (semverCompare ">=1.29.0-0" .kubeVersion) -}}
{{- $_ := set . "form" (.values.mode | default "auto") -}}
{{- if eq .form "auto" -}}
  {{- $_ := set . "form" (.hasNative | ternary "native" "classic") -}}
{{- end -}}
{{- end -}}

{{- /*
Gives a pod without a terminationGracePeriodSeconds of its author's what the app and its sidecars declare, added up, as
one grace period is for all of them (KEP-753), and 2 seconds; an author's own is kept, and must hold what is declared.
Sets .gracePeriodSeconds of the work dict.
*/ -}}
{{- define "outrigger-0.1.0.gracePeriod" -}}
{{- $work := . -}}
{{- $declared := list -}}
{{- $needed := 2 -}}
{{- $drains := 0 -}}
{{- with .settings.shutdownSeconds -}}
  {{- $declared = append $declared (printf "%s.shutdownSeconds %d" $work.key (int .)) -}}
  {{- $needed = add $needed (int .) -}}
{{- end -}}
{{- range .entries -}}
  {{- $drains = add $drains (hasKey .config "shutdownSeconds" | ternary .config.shutdownSeconds (get $work.values.defaults.shutdownSeconds .pattern) | int) -}}
  {{- if .config.shutdownSeconds -}}
    {{- $declared = append $declared (printf "%s.shutdownSeconds %d" .path (int .config.shutdownSeconds)) -}}
    {{- $needed = add $needed (int .config.shutdownSeconds) -}}
  {{- end -}}
{{- end -}}
{{- $spec := .podTemplate.spec -}}
{{- if and .author.gracePeriod $declared (lt (int $spec.terminationGracePeriodSeconds) (int $needed)) -}}
  {{- include "outrigger-0.1.0.problem" (list $work "the pod template's terminationGracePeriodSeconds" (printf "is %d, and %d are needed: %s, and 2 to spare; raise it to %d, or leave it to the library" (int $spec.terminationGracePeriodSeconds) $needed (join " + " $declared) $needed)) -}}
{{- else if and (not .author.gracePeriod) (or $drains $declared) -}}
  {{- $_ := set $spec "terminationGracePeriodSeconds" (add (hasKey .settings "shutdownSeconds" | ternary .settings.shutdownSeconds 30) $drains 2) -}}
{{- end -}}
{{- $_ := set $work "gracePeriodSeconds" (kindIs "invalid" $spec.terminationGracePeriodSeconds | ternary 30 $spec.terminationGracePeriodSeconds | int) -}}
{{- end -}}
