{{- /*
The environment of files/backup-path.sh.
Takes: the Backup
Prints: the variables, as JSON
Reports: what the source lacks
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.path" -}}
{{- if not .settings.paths -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" "path.paths is missing; set it to the paths of folders or files: [/data]") -}}
{{- end -}}
{{- include "outrigger-0.2.0.patterns.backups.sourceVolume" (dict "backup" . "paths" .settings.paths) -}}
{{- include "outrigger-0.2.0.kit.variables" (dict "PATHS" (.settings.paths | default list | join "\n") "EXCLUDE" (.settings.exclude | default list | join "\n")) -}}
{{- end -}}

{{- /*
The environment of a drill.
Takes: the Backup
Prints: the variables, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.pathDrill" -}}
{{- include "outrigger-0.2.0.kit.variables" (dict "PATHS" (.settings.paths | default list | join "\n") "CHECKS" (include "outrigger-0.2.0.patterns.backups.drillChecks" .)) -}}
{{- end -}}
