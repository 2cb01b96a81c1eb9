{{- /*
What a task of a backup consists of.
Takes: backup; task: run, clock, restore, drill or prune
Prints: its parts, as JSON
Reports: what source and store lack
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.parts" -}}
{{- $backup := .backup -}}
{{- $task := .task -}}
{{- $call := $backup.call -}}
{{- $tools := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-tools" $call.name) -}}
{{- $work := include "outrigger-0.2.0.kit.shorten" (printf "outrigger-%s-work" $call.name) -}}
{{- $env := include "outrigger-0.2.0.kit.variables" (dict "BACKUP" $backup.identity "SOURCE" $backup.source "STORE" $backup.store) | fromJsonArray -}}
{{- if eq $task "clock" -}}
  {{- $env = concat $env (include "outrigger-0.2.0.kit.variables" (dict
        "SCHEDULE" (toString $call.config.schedule) "POD_NAME" (dict "fieldRef" (dict "fieldPath" "metadata.name"))) | fromJsonArray) -}}
{{- else if eq $task "run" -}}
  {{- $env = append $env (dict "name" "OWN_HOST" "value" "yes") -}}
{{- else if eq $task "restore" -}}
  {{- range list "SNAPSHOT" "TIME" "FILE" "TARGET" "OVERWRITE" -}}{{- $env = append $env (dict "name" . "value" "") -}}{{- end -}}
{{- end -}}
{{- $env = concat $env (include "outrigger-0.2.0.patterns.backups.reports" $backup | fromJsonArray) -}}
{{- if eq $task "prune" -}}
  {{- /* It asks no source. */ -}}
{{- else if eq $task "drill" -}}
  {{- $env = concat $env (include (printf "outrigger-0.2.0.patterns.backups.sources.%sDrill" $backup.source) $backup | fromJsonArray) -}}
{{- else -}}
  {{- $env = concat $env (include (printf "outrigger-0.2.0.patterns.backups.sources.%s" $backup.source) $backup | fromJsonArray) -}}
{{- end -}}
{{- $container := dict
      "name" "backup" "image" ($backup.settings.image | default (eq ($backup.kind.image | default "") "busybox" | ternary $call.values.images.busybox ""))
      "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/backup.sh" $task)
      "volumeMounts" (list
        (dict "name" $tools "mountPath" "/outrigger-backup" "readOnly" true)
        (dict "name" $work "mountPath" "/run/outrigger"))
      "resources" (deepCopy ($call.values.defaults.backupResources | default dict)) -}}
{{- $fetch := dict
      "name" (include "outrigger-0.2.0.kit.shorten" (printf "%s-tools" $call.name))
      "volumeMounts" (list (dict "name" $tools "mountPath" "/outrigger-backup")) -}}
{{- with $call.config.timeZone -}}{{- $_ := set $fetch "env" (include "outrigger-0.2.0.kit.variables" (dict "ZONE" .) | fromJsonArray) -}}{{- end -}}
{{- $workFolder := dict "sizeLimit" ($call.config.workSize | default "2Gi") -}}
{{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $workFolder) -}}
{{- $parts := dict
      "container" $container "initContainers" (list $fetch)
      "volumes" (list
        (dict "name" $tools "emptyDir" (dict "sizeLimit" "256Mi"))
        (dict "name" $work "emptyDir" $workFolder)) -}}
{{- $_ := set $container "env" $env -}}
{{- include (printf "outrigger-0.2.0.patterns.backups.stores.%s" $backup.store) (dict "backup" $backup "parts" $parts "fetch" $fetch "task" $task) -}}
{{- with $backup.settings.volume -}}
  {{- if has $task (list "run" "restore") -}}
    {{- $_ := set $container "volumeMounts" (append $container.volumeMounts (dict "name" "outrigger-source" "mountPath" ($backup.settings.mountPath | default "/data"))) -}}
    {{- $_ := set $parts "volumes" (append $parts.volumes (set (deepCopy .) "name" "outrigger-source")) -}}
  {{- end -}}
{{- end -}}
{{- if not $container.image -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $call
        "message" (printf "%s.image is missing; set it to %s" $backup.key ($backup.kind.image | default "the server's image, whose tools are of the server's version"))) -}}
{{- end -}}
{{- toJson $parts -}}
{{- end -}}

{{- /*
The environment that says what is kept and who is told.
Takes: the Backup
Prints: the variables, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.reports" -}}
{{- $config := .call.config -}}
{{- $keep := list -}}
{{- with $config.keep -}}
  {{- $keep = list "--keep-last" (max (.last | default 0 | int) (.minimum | default 1 | int) | toString) -}}
  {{- range $period := list "hourly" "daily" "weekly" "monthly" "yearly" -}}
    {{- with get $config.keep $period -}}{{- $keep = concat $keep (list (printf "--keep-%s" $period) (int . | toString)) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.2.0.kit.variables" (dict
      "KEEP" (join " " $keep) "PRUNE_APART" (kindIs "map" $config.prune | ternary "yes" "")
      "BEFORE" $config.before "AFTER" $config.after
      "ON_SUCCESS" (dig "onSuccess" "url" "" $config) "ON_FAILURE" (dig "onFailure" "url" "" $config)
      "PUSHGATEWAY" (dig "metrics" "pushgateway" "" $config) "TEXTFILE" (dig "metrics" "textfile" "" $config)) -}}
{{- end -}}

{{- /*
The library's files that the containers of a backup find in /outrigger.
Takes: the Backup
Prints: their names, as JSON
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.files" -}}
{{- $files := list "backup.sh" "backup-tools.sh" (printf "backup-%s.sh" .source) (printf "backup-%s.sh" .store) "schedule.awk" -}}
{{- append (concat $files (.kind.files | default list)) (eq .store "files" | ternary "backup-keep.awk" "backup-repository.sh") | toJson -}}
{{- end -}}
