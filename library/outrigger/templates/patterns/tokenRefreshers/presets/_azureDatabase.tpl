{{- /*
Tokens for a database of Azure's that its user logs in to by Microsoft Entra.
Takes: refresher; settings, of the preset
Sets: .exec of the refresher
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.presets.azureDatabase" -}}
{{- $refresher := .refresher -}}
{{- $settings := .settings -}}
{{- $_ := set $refresher "exec" (dict
      "image" $refresher.call.values.images.azureCli "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/token-azure.sh") "files" (list "token-azure.sh")
      "output" "json" "pointers" (dict "password" "/accessToken" "expiresAt" "/expires_on")
      "host" $settings.host "port" ($settings.port | default 5432) "user" $settings.user
      "env" (list (dict "name" "AZURE_CONFIG_DIR" "value" "/run/outrigger/home"))) -}}
{{- end -}}
