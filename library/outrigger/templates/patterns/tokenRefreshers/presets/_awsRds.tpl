{{- /*
Tokens for an RDS database that its user logs in to by IAM. A token of RDS lives 15 minutes, but dies with the
credentials that signed it.
Takes: refresher; settings, of the preset
Sets: .exec of the refresher
Reports: what the settings lack
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.presets.awsRds" -}}
{{- $refresher := .refresher -}}
{{- $settings := .settings -}}
{{- range $key := list "host" "user" -}}
  {{- if not (get $settings $key) -}}
    {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $refresher.call
          "message" (printf "awsRds.%s is missing; set it to %s" $key (get (dict "host" "the database's own name, NAME.ID.REGION.rds.amazonaws.com" "user" "the user of the database that has the role rds_iam") $key))) -}}
  {{- end -}}
{{- end -}}
{{- $own := regexFind "[.][a-z0-9-]+[.]rds[.]amazonaws[.]com" (toString $settings.host) | trimPrefix "." | splitList "." | first -}}
{{- if and $own $settings.region (ne $own $settings.region) -}}
  {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $refresher.call
        "message" (printf "awsRds.region is %s, but the host is in %s; correct one of them" $settings.region $own)) -}}
{{- end -}}
{{- $script := list "/outrigger-tools/busybox" "sh" "/outrigger/token-aws-rds.sh" -}}
{{- $port := $settings.port | default 5432 | int -}}
{{- $env := dict "RDS_HOST" $settings.host "RDS_PORT" $port "RDS_USER" $settings.user "RDS_REGION" $settings.region -}}
{{- $exec := dict
      "image" $refresher.call.values.images.awsCli "command" $script "files" (list "token-aws-rds.sh")
      "output" "json" "explain" (append $script "explain" | join " ")
      "pointers" (dict "password" "/password" "expiresAt" "/expiresAt" "signedUntil" "/signedUntil")
      "host" $settings.host "port" $port "user" $settings.user -}}
{{- with $settings.secret -}}
  {{- $volume := include "outrigger-0.1.0.kit.shorten" (printf "outrigger-%s-aws" $refresher.call.name) -}}
  {{- $_ := set $env "CREDENTIALS_DIR" "/outrigger-credentials" -}}
  {{- $_ := set $exec "volumes" (list (dict "name" $volume "secret" (dict "secretName" .))) -}}
  {{- $_ := set $exec "volumeMounts" (list (dict "name" $volume "mountPath" "/outrigger-credentials" "readOnly" true)) -}}
{{- end -}}
{{- $_ := set $exec "env" (include "outrigger-0.1.0.kit.variables" $env | fromJsonArray) -}}
{{- $_ := set $refresher "exec" $exec -}}
{{- end -}}
