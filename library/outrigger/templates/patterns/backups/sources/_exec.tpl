{{- /*
The environment of files/backup-exec.sh.
Takes: the Backup
Prints: the variables, as JSON
Reports: what the source lacks, or has that cannot work
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.exec" -}}
{{- if not .settings.command -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" "exec.command is missing; set it to the command whose output is backed up: [sh, -c, 'etcdctl snapshot save \"$WORK/etcd.db\" >&2 && cat \"$WORK/etcd.db\"']") -}}
{{- end -}}
{{- /* etcdctl writes beside the file and renames that over it, and says so on its standard output, which would be the backup. */ -}}
{{- if regexMatch `\betcdctl\b(\s+[^\s;&|<>]+)*\s+snapshot\s+save(\s+[^\s;&|<>]+)*\s+["']?/(dev/stdout|dev/fd/1|proc/[^/\s]+/fd/1)(["'\s;&|<>)]|$)` (join " " .settings.command) -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" "exec.command: etcdctl cannot save a snapshot to its standard output; set it to [sh, -c, 'etcdctl snapshot save \"$WORK/etcd.db\" >&2 && cat \"$WORK/etcd.db\"']") -}}
{{- end -}}
{{- if .call.config.drill -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" "drill does not know what restores the output of exec; leave it out, or make a Job of the -restore CronJob on a schedule of your own") -}}
{{- end -}}
{{- $env := dict -}}
{{- range $name, $key := dict "COMMAND" "command" "VERIFY_COMMAND" "verify" "RESTORE_COMMAND" "restore" -}}
  {{- $words := list -}}
  {{- range get $.settings $key | default list -}}{{- $words = append $words (printf "'%s'" (toString . | replace "'" "'\\''")) -}}{{- end -}}
  {{- $_ := set $env $name (join " " $words) -}}
{{- end -}}
{{- include "outrigger-0.2.0.kit.variables" $env -}}
{{- end -}}

{{- /*
There is no drill, which sources.exec says.
Takes: the Backup
Prints: no variables, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sources.execDrill" -}}[]{{- end -}}
