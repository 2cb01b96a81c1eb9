{{- /*
Fills the dict that one call of a public name works on, and everything below takes or is handed a part of.

The State, by what sets it:
  pod.state
    context         the chart's root context
    key             the library's values key, as problems name it
    library         the library's subchart (Files, Chart), empty where the call gives values
    values          the library's values, read only, without nulls
    workload        the workload's name, or ""
    settings        the values of this workload: those under workloads.<workload> over those of all
    env             variables that the values give: app, a list for the author's containers; sidecars, one for the
                    library's; paths, where in the values each is, by app.<name> and sidecars.<name>
    hook            the Helm hooks that the pod belongs to, or ""
    namespace       that of the objects that the call prints
    view            pod where there is a pod template, else objects
    evaluated       what kit.entry keeps
    problems        messages, each with a values path and the mend
    origins         the pod's contributed containers, name to values paths
    images          likewise, name to {contribution, image}: the image as it was before global.imageRegistry
    sidecars        the names of those that are sidecars
  the caller, where it knows them
    object          the name of the pod's object, by which entries select the pod too
    title           its kind and name, for problems and notes
    hookWeight      the hook's weight
  pod.read
    podTemplate     a copy of the author's, and in the end the composed one
    author          what the author wrote: containers, initContainers, volumes, gracePeriod (true where there is one)
  pod.chooseForm
    kubeVersion     the version that it is rendered for
    minor           its minor version, a number
    hasNative       whether that has native sidecars
    form            native or classic
  pod.entries, pod.contributions
    entries         a list of Entries
    contributions   a list of Contributions
  pod.compose
    appContainers   those that the sidecars serve
    tools           the init containers that bring the tools
    program         what brings the program: initContainers, volumes
  container.podDefaults, container.resources
    guaranteed      true where the pod is Guaranteed without its sidecars
    sharesResources whether the pod has resources of its own
    registry        of all images (global.imageRegistry)
    plainContexts   security contexts of containers without one of their own, by the app container that they serve
    plainResources  the resources of containers without any of their own
    ownResources    by name, true: the containers that have some
    preStopEnds     the names of containers that may end by their preStop
  objects.composedJob, objects.completeJob
    jobConfig       the values of the Job
    jobPath         their values path
    jobSpec         the spec of the Job
  check.types
    types           the types that a container is made of, by name
  check.volumes, check.pod
    volumeNames     by name, true: the volumes that a container may mount
    ports, portNames  by number and protocol, and by name, the container that has it
Takes: state, the dict; arguments, of the call: context, workload, hook, namespace, values
Sets: the State
*/ -}}
{{- define "outrigger-0.2.0.pod.state" -}}
{{- $state := .state -}}
{{- $arguments := .arguments -}}
{{- $found := dict "context" $arguments.context "given" $arguments.values -}}
{{- include "outrigger.find" $found -}}
{{- if kindIs "map" $arguments.values -}}
  {{- $global := dict "global" ($arguments.context.Values.global | default dict) -}}
  {{- $_ := set $found "values" (mustMergeOverwrite (include "outrigger-0.2.0.kit.defaultValues" . | fromYaml) $global (deepCopy $arguments.values)) -}}
{{- end -}}
{{- $given := dict "value" $found.values -}}
{{- include "outrigger-0.2.0.kit.dropNulls" $given -}}
{{- $values := $given.value -}}
{{- if not (and $values.images $values.defaults ($values.defaults | default dict).shutdownSeconds) -}}
  {{- $defaults := omit ($values.defaults | default dict) "shutdownSeconds" -}}
  {{- $_ := set $defaults "shutdownSeconds" (($values.defaults | default dict).shutdownSeconds | default dict) -}}
  {{- $values = set (set (omit $values "images" "defaults") "images" ($values.images | default dict)) "defaults" $defaults -}}
{{- end -}}
{{- if contains "{{" (toJson $values.images) -}}
  {{- $images := dict "context" $arguments.context "value" $values.images -}}
  {{- include "outrigger-0.2.0.kit.evaluate" $images -}}
  {{- $values = set (omit $values "images") "images" $images.value -}}
{{- end -}}
{{- $workload := $arguments.workload | default "" -}}
{{- $settings := pick $values "shutdownSeconds" "shareProcessNamespace" -}}
{{- range list $workload ($state.object | default "") -}}
  {{- include "outrigger-0.2.0.kit.overlay" (dict "into" $settings "from" (omit (get ($values.workloads | default dict) . | default dict) "env")) -}}
{{- end -}}
{{- $_ := set $state "context" $arguments.context -}}
{{- $_ := set $state "key" $found.key -}}
{{- $_ := set $state "library" $found.library -}}
{{- $_ := set $state "values" $values -}}
{{- $_ := set $state "settings" $settings -}}
{{- $_ := set $state "workload" $workload -}}
{{- $_ := set $state "hook" ($arguments.hook | default "") -}}
{{- $_ := set $state "namespace" (include "outrigger-0.2.0.kit.namespace" $arguments) -}}
{{- $_ := set $state "view" "objects" -}}
{{- $_ := set $state "evaluated" dict -}}
{{- $_ := set $state "problems" list -}}
{{- $_ := set $state "origins" dict -}}
{{- $_ := set $state "images" dict -}}
{{- $_ := set $state "sidecars" list -}}
{{- include "outrigger-0.2.0.pod.env" $state -}}
{{- end -}}

{{- /*
The form of sidecars: `native` (an init container with restartPolicy Always, KEP-753, on by default from Kubernetes
1.29) or `classic` (one more container), by the version in the values, or what Helm knows of the cluster. The
pre-release suffix lets vendors' versions such as v1.29.3-eks-abc through.
Takes: the State
Sets: .kubeVersion, .minor, .hasNative and .form
*/ -}}
{{- define "outrigger-0.2.0.pod.chooseForm" -}}
{{- $_ := set . "kubeVersion" (.values.kubeVersion | default .context.Capabilities.KubeVersion.Version) -}}
{{- $_ := set . "minor" ((semver .kubeVersion).Minor | int64) -}}
{{- $_ := set . "hasNative" (semverCompare ">=1.29.0-0" .kubeVersion) -}}
{{- $_ := set . "form" (.values.mode | default "auto") -}}
{{- if eq .form "auto" -}}
  {{- $_ := set . "form" (.hasNative | ternary "native" "classic") -}}
{{- end -}}
{{- end -}}
