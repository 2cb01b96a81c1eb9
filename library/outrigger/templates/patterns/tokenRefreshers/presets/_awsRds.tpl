{{- /*
Tokens for an RDS database that its user logs in to by IAM. A token of RDS lives 15 minutes, but dies with the
credentials that signed it.
Takes: refresher; settings, of the preset
Sets: what the Refresher says
Reports: what the settings lack
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.presets.awsRds" -}}
{{- $refresher := .refresher -}}
{{- $settings := .settings -}}
{{- range $key := list "host" "user" -}}
  {{- if not (get $settings $key) -}}
    {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $refresher.call
          "message" (printf "awsRds.%s is missing; set it to %s" $key (get (dict "host" "the database's own name, NAME.ID.REGION.rds.amazonaws.com" "user" "the user of the database that has the role rds_iam") $key))) -}}
  {{- end -}}
{{- end -}}
{{- $own := regexFind "[.][a-z0-9-]+[.]rds[.]amazonaws[.]com" (toString $settings.host) | trimPrefix "." | splitList "." | first -}}
{{- if and $own $settings.region (ne $own $settings.region) -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $refresher.call
        "message" (printf "awsRds.region is %s, but the host is in %s; correct one of them" $settings.region $own)) -}}
{{- end -}}
{{- $_ := set $refresher "provider" (dict "host" $settings.host "port" ($settings.port | default 5432 | int) "user" $settings.user "region" $settings.region) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $refresher "from" (pick $refresher.provider "host" "port" "user")) -}}
{{- include "outrigger-0.2.0.patterns.tokenRefreshers.awsKeys" (dict "refresher" $refresher "secret" $settings.secret) -}}
{{- end -}}
