{{- /*
The environment of files/backup-sqlite.sh.
Takes: the Backup
Prints: the variables, as JSON
Reports: what the source lacks
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.sqlite" -}}
{{- if not .settings.files -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" "sqlite.files is missing; set it to the databases' paths: [/data/app.db]") -}}
{{- end -}}
{{- include "outrigger-0.2.0.patterns.backups.sourceVolume" (dict "backup" . "paths" .settings.files) -}}
{{- include "outrigger-0.2.0.kit.variables" (dict "FILES" (.settings.files | default list | join "\n")) -}}
{{- end -}}

{{- /*
The environment of a drill.
Takes: the Backup
Prints: the variables, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.sqliteDrill" -}}
{{- include "outrigger-0.2.0.kit.variables" (dict "FILES" (.settings.files | default list | join "\n") "CHECKS" (include "outrigger-0.2.0.patterns.backups.drillChecks" .)) -}}
{{- end -}}
