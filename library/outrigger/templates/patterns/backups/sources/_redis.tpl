{{- /*
Prints, as JSON, the environment by which redis-cli and files/backup-redis.sh know the server. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.sources.redis" -}}
{{- $env := dict
      "REDIS_HOST" (include "outrigger-0.1.0.patterns.backups.host" .)
      "REDIS_PORT" (.settings.port | default 6379 | int)
      "REDIS_USER" .settings.user -}}
{{- with .settings.secret -}}{{- $_ := set $env "REDISCLI_AUTH" (include "outrigger-0.1.0.kit.secretKey" (dict "secret" . "key" "password") | fromJson) -}}{{- end -}}
{{- include "outrigger-0.1.0.kit.variables" $env -}}
{{- end -}}

{{- /*
Prints, as JSON, the environment of a drill, as outrigger-….patterns.backups.sources.postgresDrill does. Takes the
backup.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.sources.redisDrill" -}}
{{- include "outrigger-0.1.0.kit.variables" (dict "REDIS_HOST" "127.0.0.1" "REDIS_PORT" "6379" "CHECKS" (include "outrigger-0.1.0.patterns.backups.drillChecks" .)) -}}
{{- end -}}

{{- /*
Prints, as YAML, the server of a drill: its container, and the folders that it writes to.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.sources.redisDrillServer" -}}
container:
  args: [--bind, 127.0.0.1, --save, "", --appendonly, "no"]
folders: {data: /data}
{{- end -}}
