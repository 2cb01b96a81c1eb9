{{- /*
The environment by which files/backup-mysql.sh knows the server, MariaDB or MySQL.
Takes: the Backup
Prints: the variables, as JSON
Reports: what the source lacks, or has that cannot work
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.mysql" -}}
{{- $settings := .settings -}}
{{- include "outrigger-0.2.0.patterns.backups.dumpOptions" (dict "backup" . "forbidden" "^(-[rTXiAB]|--(result-file|tab|dir|xml|compact|databases|all-databases|skip-comments|comments=(0|false|off))($|=))") -}}
{{- $env := dict
      "DB_HOST" (include "outrigger-0.2.0.patterns.backups.host" .)
      "DB_PORT" ($settings.port | default 3306 | int)
      "DB_USER" ($settings.user | default "root")
      "DATABASES" (include "outrigger-0.2.0.patterns.backups.databases" $settings)
      "CONNECTION_OPTIONS" ($settings.connectionOptions | default list | join "\n")
      "DUMP_OPTIONS" ($settings.options | default list | join "\n") -}}
{{- with $settings.secret -}}{{- $_ := set $env "MYSQL_PWD" (include "outrigger-0.2.0.kit.secretKey" (dict "secret" . "key" "password") | fromJson) -}}{{- end -}}
{{- include "outrigger-0.2.0.kit.variables" $env -}}
{{- end -}}

{{- /*
The environment of a drill: its server listens to the pod alone, and asks for no password.
Takes: the Backup
Prints: the variables, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.mysqlDrill" -}}
{{- include "outrigger-0.2.0.kit.variables" (dict "DB_HOST" "127.0.0.1" "DB_PORT" "3306" "DB_USER" "root" "DATABASES" (include "outrigger-0.2.0.patterns.backups.databases" .settings) "CHECKS" (include "outrigger-0.2.0.patterns.backups.drillChecks" .)) -}}
{{- end -}}

{{- /*
The server of a drill. Both images know the variable, and begin their server where the first argument is an option.
Takes: the Backup
Prints: its container, and the folders that it writes to by name, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.mysqlDrillServer" -}}
container:
  args: [--bind-address=127.0.0.1, --innodb-flush-log-at-trx-commit=0]
  env:
    - {name: MYSQL_ALLOW_EMPTY_PASSWORD, value: "yes"}
folders: {data: /var/lib/mysql, run: /var/run/mysqld, tmp: /tmp}
{{- end -}}
