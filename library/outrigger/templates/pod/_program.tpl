{{- /*
Brings the library's program to containers of other images, if a contribution asks for it: an init container copies it
into a volume, or, with `defaults.tools: image`, its image is the volume.
Takes: the State, with contributions
Sets: .program: initContainers and volumes, lists
Reports: a cluster that has no image volumes
*/ -}}
{{- define "outrigger-0.2.0.pod.program" -}}
{{- $wanted := false -}}
{{- range .contributions -}}{{- if .program -}}{{- $wanted = true -}}{{- end -}}{{- end -}}
{{- $_ := set . "program" (dict "initContainers" list "volumes" list) -}}
{{- if not $wanted -}}
{{- else if eq (.values.defaults.tools | default "copy") "image" -}}
  {{- $image := .values.images.outrigger -}}
  {{- with .registry -}}{{- $image = include "outrigger-0.2.0.container.registry" (dict "registry" . "image" $image) -}}{{- end -}}
  {{- $volume := dict "name" "outrigger-program" "image" (dict "reference" $image) -}}
  {{- if lt .minor 35 -}}
    {{- include "outrigger-0.2.0.kit.problem" (dict "state" . "path" (printf "%s.defaults.tools" .key)
          "message" (printf "Kubernetes has image volumes on from 1.35 on and this is rendered for %s; set copy, or set %s.kubeVersion if that version is not the cluster's" .kubeVersion .key)) -}}
  {{- end -}}
  {{- $_ := set .program "volumes" (list $volume) -}}
{{- else -}}
  {{- $container := dict
        "name" "outrigger-install" "image" .values.images.outrigger "command" (list "/outrigger" "install" "/outrigger-program")
        "terminationMessagePolicy" "FallbackToLogsOnError"
        "volumeMounts" (list (dict "name" "outrigger-program" "mountPath" "/outrigger-program")) -}}
  {{- $contribution := dict "path" (printf "%s (its own outrigger-install)" .key) "config" dict -}}
  {{- include "outrigger-0.2.0.container.complete" (dict "state" . "contribution" $contribution "container" $container) -}}
  {{- $_ := set .program "initContainers" (list $container) -}}
  {{- /* The programs, and once more the larger one while it is replaced. */ -}}
  {{- $_ := set .program "volumes" (list (dict "name" "outrigger-program" "emptyDir" (dict "sizeLimit" "64Mi"))) -}}
{{- end -}}
{{- end -}}
