{{- /*
Ends the render where the composed pod has problems: those that were found on the way, and those that show only now.
Takes: the State, composed
Sets: .ports and .portNames, and what check.volumes sets
Reports: fails with all of them in one message
*/ -}}
{{- define "outrigger-0.2.0.check.pod" -}}
{{- $state := . -}}
{{- include "outrigger-0.2.0.check.names" . -}}
{{- include "outrigger-0.2.0.check.form" . -}}
{{- include "outrigger-0.2.0.check.volumes" . -}}
{{- include "outrigger-0.2.0.check.settings" . -}}
{{- $_ := set $state "ports" dict -}}
{{- $_ := set $state "portNames" dict -}}
{{- range .podTemplate.spec.containers -}}
  {{- include "outrigger-0.2.0.check.container" (dict "state" $state "container" . "stays" true) -}}
{{- end -}}
{{- range .podTemplate.spec.initContainers -}}
  {{- include "outrigger-0.2.0.check.container" (dict "state" $state "container" . "stays" (eq (.restartPolicy | default "") "Always")) -}}
{{- end -}}
{{- include "outrigger-0.2.0.check.fields" . -}}
{{- include "outrigger-0.2.0.check.versions" . -}}
{{- include "outrigger-0.2.0.check.documents" . -}}
{{- if .sharesResources -}}{{- include "outrigger-0.2.0.check.podResources" . -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.failWithProblems" . -}}
{{- end -}}

{{- /*
What the pod template says of the pod as a whole, beside which sidecars or settings of the library's are refused.
Takes: the State, composed
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.settings" -}}
{{- $state := . -}}
{{- $spec := .podTemplate.spec -}}
{{- if and .settings.shareProcessNamespace $spec.hostPID -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" . "path" (printf "%s.shareProcessNamespace" .key)
        "message" (printf "is true, and the pod template has hostPID: true, beside which Kubernetes refuses it; set %s.workloads.%s.shareProcessNamespace to false" .key (.workload | default .object | default "NAME"))) -}}
{{- end -}}
{{- if eq (toString ($spec.os | default dict).name) "windows" -}}
  {{- range .contributions -}}
    {{- if or .sidecars .initContainers -}}
      {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" .path
            "message" "makes a container for Linux, and the pod template's os is windows; leave it out of this pod (workloads, enabled: false)") -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Names of containers: two that are one; one that is no DNS label (RFC 1123), which Kubernetes asks of them.
Takes: the State
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.names" -}}
{{- $state := . -}}
{{- $authors := dict -}}
{{- range concat .author.containers .author.initContainers -}}
  {{- if hasKey $authors (.name | default "") -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" "the pod template"
          "message" (printf "has two containers %q; rename one" .name)) -}}
  {{- end -}}
  {{- $_ := set $authors (.name | default "") true -}}
{{- end -}}
{{- range $name, $paths := .origins -}}
  {{- if hasKey $authors $name -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (first $paths)
          "message" (printf "the pod template already has a container %q; rename the entry" $name)) -}}
  {{- else if gt (len $paths) 1 -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (join " and " $paths)
          "message" (printf "both make a container %q; rename one of them" $name)) -}}
  {{- end -}}
{{- end -}}
{{- $names := list "" -}}
{{- range .contributions -}}{{- $names = append $names .name -}}{{- end -}}
{{- /* A regular expression is compiled each time: one for all names, and one for each only to say which is at fault. */ -}}
{{- if not (regexMatch "^(\\n[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$" (join "\n" $names)) -}}
{{- range .contributions -}}
  {{- $path := .path -}}
  {{- with include "outrigger-0.2.0.kit.labelProblem" .name -}}{{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $path "message" .) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
What a cluster without native sidecars cannot do: the native form, also the author's own; a classic sidecar in a pod
that is to end (restartPolicy Never or OnFailure, as in Jobs), which would run on for ever.
Takes: the State
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.form" -}}
{{- $state := . -}}
{{- if and (not .hasNative) (eq .form "native") .sidecars -}}
  {{- include "outrigger-0.2.0.kit.problem" (dict "state" . "path" (printf "%s.mode" .key)
        "message" (printf "native sidecars need Kubernetes 1.29 or later and this is rendered for %s; set %s.kubeVersion if that version is not the cluster's, or set mode: auto" .kubeVersion .key)) -}}
{{- end -}}
{{- if not .hasNative -}}
  {{- range .author.initContainers -}}
    {{- if .restartPolicy -}}
      {{- include "outrigger-0.2.0.kit.containerProblem" (dict "state" $state "name" .name "field" "restartPolicy"
            "message" (printf "of an init container needs Kubernetes 1.29 or later and this is rendered for %s; remove it, or set %s.kubeVersion if that version is not the cluster's" $state.kubeVersion $state.key)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $restartPolicy := .podTemplate.spec.restartPolicy | default "Always" -}}
{{- if and (eq .form "classic") (ne $restartPolicy "Always") -}}
  {{- range .sidecars -}}
    {{- $origin := include "outrigger-0.2.0.kit.origin" (dict "state" $state "name" .) -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" $origin
          "message" (printf "a classic sidecar keeps a Job (restartPolicy %s) from ever completing; native sidecars need Kubernetes 1.29 or later and this is rendered for %s: upgrade, set %s.kubeVersion if that version is not the cluster's, set %s.mode: auto, or set %s.enabled: false"
            $restartPolicy $state.kubeVersion $state.key $state.key $origin)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Names of volumes, of which two are one. The checks of containers read which there are: the pod's, and those that the
author's containers mount, as a StatefulSet's claims are not among the pod's.
Takes: the State
Sets: .volumeNames
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.check.volumes" -}}
{{- $state := . -}}
{{- $seen := dict -}}
{{- $authors := dict -}}
{{- range .author.volumes -}}
  {{- if hasKey $authors (.name | default "") -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" "the pod template"
          "message" (printf "has two volumes %q; rename one" .name)) -}}
  {{- end -}}
  {{- $_ := set $authors (.name | default "") true -}}
{{- end -}}
{{- $paths := dict -}}
{{- range $contribution := .contributions -}}
  {{- range .volumes -}}{{- $_ := set $paths .name (append (get $paths .name | default list) $contribution.path) -}}{{- end -}}
{{- end -}}
{{- range $name, $makers := $paths -}}
  {{- if hasKey $authors $name -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (first $makers)
          "message" (printf "the pod template already has a volume %q; rename the entry" $name)) -}}
  {{- else if gt (len $makers) 1 -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" (uniq $makers | join " and ")
          "message" (printf "%s a volume %q; rename one of them" (gt (len (uniq $makers)) 1 | ternary "both make" "makes twice") $name)) -}}
  {{- end -}}
{{- end -}}
{{- range .podTemplate.spec.volumes -}}
  {{- if and (hasKey $seen .name) (hasKey $authors .name) (hasPrefix "outrigger-" .name) (not (hasKey $paths .name)) -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" $state "path" "the pod template"
          "message" (printf "has a volume %q, which is the library's own; rename it" .name)) -}}
  {{- end -}}
  {{- $_ := set $seen .name true -}}
{{- end -}}
{{- range concat .author.containers .author.initContainers -}}
  {{- range concat (.volumeMounts | default list) (.volumeDevices | default list) -}}{{- $_ := set $seen .name true -}}{{- end -}}
{{- end -}}
{{- $_ := set $state "volumeNames" $seen -}}
{{- end -}}
