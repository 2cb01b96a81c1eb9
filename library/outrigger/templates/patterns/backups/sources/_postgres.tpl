{{- /*
The environment by which libpq and files/backup-postgres.sh know the server.
Takes: the Backup
Prints: the variables, as JSON
Reports: what the source lacks, or has that cannot work
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.postgres" -}}
{{- $settings := .settings -}}
{{- include "outrigger-0.2.0.patterns.backups.dumpOptions" (dict "backup" . "forbidden" "^(-[fF]|--fo|--file)") -}}
{{- $env := dict
      "PGHOST" (include "outrigger-0.2.0.patterns.backups.host" .)
      "PGPORT" ($settings.port | default 5432 | int)
      "PGUSER" ($settings.user | default "postgres")
      "DATABASES" (include "outrigger-0.2.0.patterns.backups.databases" $settings)
      "DUMP_OPTIONS" ($settings.options | default list | join "\n")
      "JOBS" ($settings.jobs | default 0 | int) -}}
{{- with $settings.secret -}}{{- $_ := set $env "PGPASSWORD" (include "outrigger-0.2.0.kit.secretKey" (dict "secret" . "key" "password") | fromJson) -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.variables" $env -}}
{{- end -}}

{{- /*
The environment of a drill: its server listens to the pod alone, and asks for no password.
Takes: the Backup
Prints: the variables, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.postgresDrill" -}}
{{- include "outrigger-0.2.0.kit.variables" (dict "PGHOST" "127.0.0.1" "PGPORT" "5432" "PGUSER" "postgres" "DATABASES" (include "outrigger-0.2.0.patterns.backups.databases" .settings) "JOBS" (.settings.jobs | default 0 | int) "CHECKS" (include "outrigger-0.2.0.patterns.backups.drillChecks" .)) -}}
{{- end -}}

{{- /*
The server of a drill.
Takes: the Backup
Prints: its container, and the folders that it writes to by name, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.postgresDrillServer" -}}
container:
  args: [postgres, -c, listen_addresses=127.0.0.1, -c, fsync=off, -c, full_page_writes=off]
  env:
    - {name: POSTGRES_HOST_AUTH_METHOD, value: trust}
    - {name: POSTGRES_INITDB_ARGS, value: --no-sync}
    - {name: PGDATA, value: /var/lib/postgresql/data/pgdata}
folders: {data: /var/lib/postgresql/data, run: /var/run/postgresql, tmp: /tmp}
{{- end -}}
