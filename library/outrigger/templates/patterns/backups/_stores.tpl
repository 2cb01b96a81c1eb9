{{- /*
Gives the parts of a task what every kind of store may need: the credentials of its service, as variables or files,
and a volume where it is a path.
Takes: settings, the store's; parts; mountPath, of the volume
Sets: the parts
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.storeAccess" -}}
{{- $settings := .settings -}}
{{- $parts := .parts -}}
{{- $path := .mountPath -}}
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
