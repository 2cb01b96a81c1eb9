{{- /*
Tokens for a database of Azure's that its user logs in to by Microsoft Entra.
Takes: refresher; settings, of the preset
Sets: what the Refresher says
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.presets.azureDatabase" -}}
{{- $_ := set .refresher "provider" (pick .settings "host" "user") -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" .refresher "from" (dict "host" .settings.host "port" (.settings.port | default 5432) "user" .settings.user)) -}}
{{- end -}}
