{{- /*
volumes.<name>: a volume that the app's containers and their sidecars share. It is an emptyDir with a size limit unless
the entry names another of Kubernetes' volume sources.
*/ -}}
{{- define "outrigger-0.1.0.pattern.volumes" -}}
{{- $mountFields := list "mountPath" "subPath" "subPathExpr" "readOnly" "mountPropagation" -}}
{{- $volume := omit .config "enabled" "workloads" "size" "medium" "containers" "order" -}}
{{- range $mountFields -}}{{- $volume = omit $volume . -}}{{- end -}}
{{- if or (not $volume) (hasKey $volume "emptyDir") -}}
  {{- $emptyDir := dict "sizeLimit" (.config.size | default "1Gi") -}}
  {{- with .config.medium -}}{{- $_ := set $emptyDir "medium" . -}}{{- end -}}
  {{- include "outrigger-0.1.0.overlay" (list $emptyDir $volume.emptyDir) -}}
  {{- $volume = dict "emptyDir" $emptyDir -}}
{{- else if or .config.size .config.medium -}}
  {{- $_ := set .contribution "problems" (list (printf "size and medium are settings of an emptyDir, not of %s; remove them, or remove %s" (keys $volume | first) (keys $volume | first))) -}}
{{- end -}}
{{- if not .config.mountPath -}}
  {{- $_ := set .contribution "problems" (list "mountPath is missing; set it to the path at which the app has the volume") -}}
{{- end -}}
{{- $mount := dict "name" .name -}}
{{- range $field := append $mountFields "containers" -}}
  {{- if hasKey $.config $field -}}{{- $_ := set $mount $field (get $.config $field) -}}{{- end -}}
{{- end -}}
{{- $_ := set .contribution "volumes" (list (set $volume "name" .name)) -}}
{{- $_ := set .contribution "appVolumeMounts" (list $mount) -}}
{{- end -}}
