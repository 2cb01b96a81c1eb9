{{- /*
containers.<name>: any container as a sidecar, with the Kubernetes container fields under their own names; with `kind:
init` a container that runs to its end. env, ports, volumes and volumeMounts may be maps keyed by name. A mount of a
shared volume may leave out its mountPath: it is then the app's. volumes are the container's alone.
Takes: the Call
Sets: its contribution
*/ -}}
{{- define "outrigger-0.2.0.patterns.containers.contribution" -}}
{{- $container := omit .config "enabled" "order" "workloads" "kind" "afterInit" "shutdownSeconds" "preStopEnds" "downwardAPI" "volumes" -}}
{{- $_ := set $container "name" .name -}}
{{- range $field, $shorthand := dict "env" "value" "ports" "containerPort" "volumeMounts" "mountPath" -}}
  {{- if kindIs "map" (get $container $field) -}}
    {{- $_ := set $container $field (include "outrigger-0.2.0.kit.namedItems" (dict "items" (get $container $field) "field" $shorthand) | fromJsonArray) -}}
  {{- end -}}
{{- end -}}
{{- with .config.volumes -}}
  {{- $_ := set $.contribution "volumes" (include "outrigger-0.2.0.kit.namedItems" (dict "items" . "field" "name") | fromJsonArray) -}}
{{- end -}}
{{- $_ := set .contribution "order" 600 -}}
{{- $_ := set .contribution (eq (.config.kind | default "sidecar") "init" | ternary "initContainers" "sidecars") (list $container) -}}
{{- end -}}
