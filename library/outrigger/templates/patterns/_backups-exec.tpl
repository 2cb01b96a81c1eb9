{{- /*
Prints, as JSON, the environment of files/backup-exec.sh. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.source.exec" -}}
{{- if not .settings.command -}}
  {{- include "outrigger-0.1.0.addProblem" (list .call "exec.command is missing; set it to the command whose output is backed up: [etcdctl, snapshot, save, /dev/stdout]") -}}
{{- end -}}
{{- if .call.config.drill -}}
  {{- include "outrigger-0.1.0.addProblem" (list .call "drill does not know what restores the output of exec; leave it out, or make a Job of the -restore CronJob on a schedule of your own") -}}
{{- end -}}
{{- $env := dict -}}
{{- range $name, $key := dict "COMMAND" "command" "VERIFY_COMMAND" "verify" "RESTORE_COMMAND" "restore" -}}
  {{- $words := list -}}
  {{- range get $.settings $key | default list -}}{{- $words = append $words (printf "'%s'" (toString . | replace "'" "'\\''")) -}}{{- end -}}
  {{- $_ := set $env $name (join " " $words) -}}
{{- end -}}
{{- include "outrigger-0.1.0.variables" $env -}}
{{- end -}}

{{- /*
Prints an empty list: there is no drill, which source.exec says.
*/ -}}
{{- define "outrigger-0.1.0.drill.exec" -}}[]{{- end -}}
