{{- /*
The environment by which redis-cli and files/backup-redis.sh know the server.
Takes: the Backup
Prints: the variables, as JSON
Reports: what the source lacks
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.redis" -}}
{{- $env := dict
      "REDIS_HOST" (include "outrigger-0.2.0.patterns.backups.host" .)
      "REDIS_PORT" (.settings.port | default 6379 | int)
      "REDIS_USER" .settings.user -}}
{{- with .settings.secret -}}{{- $_ := set $env "REDISCLI_AUTH" (include "outrigger-0.2.0.kit.secretKey" (dict "secret" . "key" "password") | fromJson) -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.variables" $env -}}
{{- end -}}

{{- /*
The environment of a drill: its server listens to the pod alone, and asks for no password.
Takes: the Backup
Prints: the variables, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.redisDrill" -}}
{{- include "outrigger-0.2.0.kit.variables" (dict "REDIS_HOST" "127.0.0.1" "REDIS_PORT" "6379" "CHECKS" (include "outrigger-0.2.0.patterns.backups.drillChecks" .)) -}}
{{- end -}}

{{- /*
The server of a drill.
Takes: the Backup
Prints: its container, and the folders that it writes to by name, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.redisDrillServer" -}}
container:
  args: [--bind, 127.0.0.1, --save, "", --appendonly, "no"]
folders: {data: /data}
{{- end -}}
