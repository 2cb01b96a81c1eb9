{{- /*
Credentials of Vault's or OpenBao's: made in a database, rotated there, or kept as a key and its values.
Takes: refresher; settings, of the preset
Sets: what the Refresher says
Reports: what the settings lack
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.presets.vault" -}}
{{- $refresher := .refresher -}}
{{- $settings := .settings -}}
{{- range $key := list "address" "path" -}}
  {{- if not (get $settings $key) -}}
    {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $refresher.call
          "message" (printf "vault.%s is missing; set it to %s" $key (get (dict "address" "Vault's URL" "path" "what is read, such as database/creds/shop") $key))) -}}
  {{- end -}}
{{- end -}}
{{- $ways := list -}}
{{- range $key := list "appRole" "role" "tokenSecret" -}}{{- if get $settings $key -}}{{- $ways = append $ways $key -}}{{- end -}}{{- end -}}
{{- if gt (len $ways) 1 -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $refresher.call "message" (printf "vault logs in by one of %s; leave the others out" (join " and " $ways))) -}}
{{- end -}}
{{- if and (eq ($settings.engine | default "") "kv") (not $refresher.config.ttl) -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $refresher.call "message" "ttl is missing: a key-value store does not say how long a secret lives; set how often it is to be read (15m)") -}}
{{- end -}}
{{- $provider := pick $settings "address" "namespace" "path" "engine" "usernameKey" "passwordKey" -}}
{{- $mount := dict "mountPath" "/outrigger-vault" "readOnly" true "name" (include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-vault" $refresher.call.name)) -}}
{{- $volume := dict "name" $mount.name -}}
{{- if $settings.role -}}
  {{- /* A token of its own: the pod's may not be mounted, and need not be. */ -}}
  {{- $_ := set $volume "projected" (dict "sources" (list (dict "serviceAccountToken" (dict "path" "token" "expirationSeconds" 3600)))) -}}
  {{- $_ := set $provider "kubernetes" (dict "role" $settings.role "mount" $settings.authPath "tokenFile" "/outrigger-vault/token") -}}
{{- else if $settings.appRole -}}
  {{- $_ := set $volume "secret" (dict "secretName" $settings.appRole.secret) -}}
  {{- $_ := set $provider "appRole" (dict "roleIdFile" (printf "/outrigger-vault/%s" ($settings.appRole.roleIdKey | default "role_id"))
        "secretIdFile" (printf "/outrigger-vault/%s" ($settings.appRole.secretIdKey | default "secret_id")) "mount" $settings.appRole.authPath) -}}
{{- else if $settings.tokenSecret -}}
  {{- $key := (include "outrigger-0.2.0.kit.secretKey" (dict "secret" $settings.tokenSecret "key" "token") | fromJson).secretKeyRef -}}
  {{- $_ := set $volume "secret" (dict "secretName" $key.name "items" (list (dict "key" $key.key "path" "token"))) -}}
  {{- $_ := set $provider "tokenFile" "/outrigger-vault/token" -}}
{{- end -}}
{{- if gt (len $volume) 1 -}}
  {{- $_ := set $refresher "volumes" (append $refresher.volumes $volume) -}}
  {{- $_ := set $refresher "volumeMounts" (append $refresher.volumeMounts $mount) -}}
{{- end -}}
{{- $_ := set $refresher "provider" $provider -}}
{{- $_ := set $refresher "namesUser" true -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $refresher "from" (dict "host" $settings.host "port" ($settings.port | default 5432))) -}}
{{- end -}}
