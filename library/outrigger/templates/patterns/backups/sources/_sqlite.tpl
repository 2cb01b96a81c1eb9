{{- /*
Prints, as JSON, the environment of files/backup-sqlite.sh. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.sources.sqlite" -}}
{{- if not .settings.files -}}
  {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" .call
        "message" "sqlite.files is missing; set it to the databases' paths: [/data/app.db]") -}}
{{- end -}}
{{- include "outrigger-0.1.0.patterns.backups.sourceVolume" (list . .settings.files) -}}
{{- include "outrigger-0.1.0.kit.variables" (dict "FILES" (.settings.files | default list | join "\n")) -}}
{{- end -}}

{{- /*
Prints, as JSON, the environment of a drill. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.sources.sqliteDrill" -}}
{{- include "outrigger-0.1.0.kit.variables" (dict "FILES" (.settings.files | default list | join "\n") "CHECKS" (include "outrigger-0.1.0.patterns.backups.drillChecks" .)) -}}
{{- end -}}
