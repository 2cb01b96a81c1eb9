{{- /*
Prints, as a YAML list, the environment by which libpq and files/backup-postgres.sh know the server. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.source.postgres" -}}
{{- $settings := .settings -}}
{{- if not (or $settings.host .sidecar) -}}
  {{- include "outrigger-0.1.0.backupProblem" (list .call "postgres.host is missing; set it to the name of the server's Service") -}}
{{- end -}}
{{- $env := list
      (dict "name" "PGHOST" "value" ($settings.host | default "127.0.0.1"))
      (dict "name" "PGPORT" "value" ($settings.port | default 5432 | int | toString))
      (dict "name" "PGUSER" "value" ($settings.user | default "postgres"))
      (dict "name" "DATABASES" "value" (include "outrigger-0.1.0.postgresDatabases" $settings)) -}}
{{- with $settings.secret -}}
  {{- $env = append $env (dict "name" "PGPASSWORD" "valueFrom" (include "outrigger-0.1.0.secretKey" (list . "password") | fromJson)) -}}
{{- end -}}
{{- with $settings.options -}}{{- $env = append $env (dict "name" "DUMP_OPTIONS" "value" (join "\n" . | replace "$(" "$$(")) -}}{{- end -}}
{{- with $settings.jobs -}}{{- $env = append $env (dict "name" "JOBS" "value" (int . | toString)) -}}{{- end -}}
{{- toYaml $env -}}
{{- end -}}

{{- /*
Prints the databases that are backed up, one a line; nothing for all of the server. Takes the source's settings.
*/ -}}
{{- define "outrigger-0.1.0.postgresDatabases" -}}
{{- concat (.databases | default list) (empty .database | ternary list (list .database)) | uniq | join "\n" -}}
{{- end -}}

{{- /*
Prints, as a YAML list, the environment of a drill: its server listens to the pod alone, and asks for no password. Takes
the backup.
*/ -}}
{{- define "outrigger-0.1.0.drill.postgres" -}}
- {name: PGHOST, value: "127.0.0.1"}
- {name: PGPORT, value: "5432"}
- {name: PGUSER, value: postgres}
- {name: DATABASES, value: {{ include "outrigger-0.1.0.postgresDatabases" .settings | quote }}}
{{- with .settings.jobs }}
- {name: JOBS, value: {{ int . | quote }}}
{{- end }}
- {name: CHECKS, value: {{ .call.config.drill.check | default list | join "\n" | replace "$(" "$$(" | quote }}}
{{- end -}}

{{- /*
Prints, as JSON, the parts of a drill's pod: those of its task, and the server as a sidecar. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.drillParts" -}}
{{- $parts := include "outrigger-0.1.0.backupParts" (list . "drill") | fromJson -}}
{{- $user := hasKey (.settings.securityContext | default dict) "runAsUser" | ternary (.settings.securityContext | default dict).runAsUser 999 | int64 -}}
{{- $_ := set $parts "sidecars" (list (dict
      "name" "database" "image" (.settings.image | default "")
      "args" (list "postgres" "-c" "listen_addresses=127.0.0.1" "-c" "fsync=off" "-c" "full_page_writes=off")
      "env" (list
        (dict "name" "POSTGRES_HOST_AUTH_METHOD" "value" "trust")
        (dict "name" "PGDATA" "value" "/var/lib/postgresql/data/pgdata"))
      "resources" (dict "requests" (dict "cpu" "50m" "memory" "128Mi") "limits" (dict "memory" (.call.config.drill.memory | default "512Mi")))
      "securityContext" (dict "runAsUser" $user "runAsGroup" $user)
      "volumeMounts" (list
        (dict "name" "data" "mountPath" "/var/lib/postgresql/data")
        (dict "name" "run" "mountPath" "/var/run/postgresql")
        (dict "name" "tmp" "mountPath" "/tmp")))) -}}
{{- $_ := set $parts "volumes" (concat $parts.volumes (list
      (dict "name" "data" "emptyDir" (dict "sizeLimit" (.call.config.drill.size | default "8Gi")))
      (dict "name" "run" "emptyDir" (dict "sizeLimit" "16Mi"))
      (dict "name" "tmp" "emptyDir" (dict "sizeLimit" "64Mi")))) -}}
{{- $_ := set $parts "fsGroup" $user -}}
{{- toJson $parts -}}
{{- end -}}
