{{- /*
Credentials that Vault makes in a database. They die with the token of Vault's by which they were made.
Takes: refresher; settings, of the preset
Sets: .exec of the refresher
Reports: what the settings lack
*/ -}}
{{- define "outrigger-0.1.0.patterns.tokenRefreshers.presets.vault" -}}
{{- $refresher := .refresher -}}
{{- $settings := .settings -}}
{{- range $key := list "address" "path" -}}
  {{- if not (get $settings $key) -}}
    {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $refresher.call
          "message" (printf "vault.%s is missing; set it to %s" $key (get (dict "address" "Vault's URL" "path" "what is read, such as database/creds/shop") $key))) -}}
  {{- end -}}
{{- end -}}
{{- $_ := set $refresher "exec" (dict
      "image" $refresher.call.values.images.vault "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/token-vault.sh") "files" (list "token-vault.sh")
      "output" "json" "pointers" (dict "password" "/secret/data/password" "username" "/secret/data/username" "ttl" "/secret/lease_duration" "signedUntil" "/signedUntil")
      "host" $settings.host "port" ($settings.port | default 5432)
      "env" (include "outrigger-0.1.0.kit.variables" (dict "VAULT_ADDR" $settings.address "SECRET_PATH" $settings.path "ROLE" $settings.role "AUTH_PATH" $settings.authPath) | fromJsonArray)) -}}
{{- end -}}
