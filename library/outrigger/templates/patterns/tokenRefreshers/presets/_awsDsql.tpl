{{- /*
Tokens for a cluster of Aurora DSQL. One lives 15 minutes, but dies with the credentials that signed it.
Takes: refresher; settings, of the preset
Sets: what the Refresher says
Reports: what the settings lack
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.presets.awsDsql" -}}
{{- $refresher := .refresher -}}
{{- $settings := .settings -}}
{{- range $key, $what := dict "host" "the cluster's own name, ID.dsql.REGION.on.aws" "user" "the user of the database: admin, or one that a role of IAM is mapped to" -}}
  {{- if not (get $settings $key) -}}
    {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $refresher.call "message" (printf "awsDsql.%s is missing; set it to %s" $key $what)) -}}
  {{- end -}}
{{- end -}}
{{- $_ := set $refresher "provider" (pick $settings "host" "user" "region") -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $refresher "from" (dict "host" $settings.host "port" 5432 "user" $settings.user)) -}}
{{- include "outrigger-0.2.0.patterns.tokenRefreshers.awsKeys" (dict "refresher" $refresher "secret" $settings.secret) -}}
{{- end -}}
