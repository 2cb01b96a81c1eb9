{{- /*
containers.<name>: any container as a sidecar, with the Kubernetes container fields under their own names. A mount of a
shared volume may leave out its mountPath: it is then the app's.
*/ -}}
{{- define "outrigger-0.1.0.pattern.containers" -}}
{{- $container := omit .config "enabled" "order" "workloads" -}}
{{- $_ := set $container "name" .name -}}
{{- $_ := set .contribution "order" 600 -}}
{{- $_ := set .contribution "sidecars" (list $container) -}}
{{- end -}}
