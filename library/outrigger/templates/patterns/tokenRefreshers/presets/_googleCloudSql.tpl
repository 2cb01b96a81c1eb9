{{- /*
Tokens for a Cloud SQL database that its user logs in to by IAM. gcloud prints the token alone, and a metadata server
hands one out until 5 minutes before its end: so that is how long one is relied on.
Takes: refresher; settings, of the preset
Sets: .exec of the refresher
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.presets.googleCloudSql" -}}
{{- $refresher := .refresher -}}
{{- $settings := .settings -}}
{{- $_ := set $refresher "exec" (dict
      "image" $refresher.call.values.images.googleCloudCli "command" (list "gcloud" "sql" "generate-login-token" "--quiet") "ttl" "5m"
      "host" $settings.host "port" ($settings.port | default 5432) "user" $settings.user
      "env" (list (dict "name" "CLOUDSDK_CONFIG" "value" "/run/outrigger/home") (dict "name" "CLOUDSDK_CORE_DISABLE_FILE_LOGGING" "value" "1"))) -}}
{{- end -}}
