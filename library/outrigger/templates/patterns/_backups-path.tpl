{{- /*
Prints, as JSON, the environment of files/backup-path.sh. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.source.path" -}}
{{- if not .settings.paths -}}
  {{- include "outrigger-0.1.0.addProblem" (list .call "path.paths is missing; set it to the paths of folders or files: [/data]") -}}
{{- end -}}
{{- include "outrigger-0.1.0.sourceVolume" (list . .settings.paths) -}}
{{- include "outrigger-0.1.0.variables" (dict "PATHS" (.settings.paths | default list | join "\n") "EXCLUDE" (.settings.exclude | default list | join "\n")) -}}
{{- end -}}

{{- /*
Prints, as JSON, the environment of a drill. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.drill.path" -}}
{{- include "outrigger-0.1.0.variables" (dict "PATHS" (.settings.paths | default list | join "\n") "CHECKS" (include "outrigger-0.1.0.drillChecks" .)) -}}
{{- end -}}
