{{- /*
Gives the parts of a task what every kind of store may need: the credentials of its service, as variables or
files, and a volume where it is a path.
Takes a list: the store's settings, the parts, the path.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.storeAccess" -}}
{{- $settings := index . 0 -}}
{{- $parts := index . 1 -}}
{{- $path := index . 2 -}}
{{- with $settings.credentials -}}{{- $_ := set $parts.container "envFrom" (list (dict "secretRef" (dict "name" .))) -}}{{- end -}}
{{- with $settings.credentialFiles -}}
  {{- $_ := set $parts.container "volumeMounts" (append $parts.container.volumeMounts (dict "name" "outrigger-credentials" "mountPath" "/outrigger-credentials" "readOnly" true)) -}}
  {{- $_ := set $parts "volumes" (append $parts.volumes (dict "name" "outrigger-credentials" "secret" (dict "secretName" .))) -}}
{{- end -}}
{{- with $settings.volume -}}
  {{- $_ := set $parts.container "volumeMounts" (append $parts.container.volumeMounts (dict "name" "outrigger-repository" "mountPath" $path)) -}}
  {{- $_ := set $parts "volumes" (append $parts.volumes (set (deepCopy .) "name" "outrigger-repository")) -}}
{{- end -}}
{{- end -}}
