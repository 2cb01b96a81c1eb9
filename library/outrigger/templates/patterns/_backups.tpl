{{- /*
backups.<name>: backs up a database or files on a schedule, as a CronJob or as a sidecar of the app's pod, into a store.
Each also gives a suspended CronJob <name>-restore, and with `drill` a CronJob <name>-drill that restores the newest
snapshot into a server of its own.
*/ -}}
{{- define "outrigger-0.1.0.pattern.backups" -}}
{{- $sidecar := eq (.config.as | default "cronJob") "sidecar" -}}
{{- $source := include "outrigger-0.1.0.choice" (list . "source" .config (list "exec" "mariadb" "mysql" "path" "postgres" "redis" "sqlite")) -}}
{{- $store := include "outrigger-0.1.0.choice" (list . "store" (.config.store | default dict) (list "restic" "files")) -}}
{{- if not .config.schedule -}}
  {{- include "outrigger-0.1.0.addProblem" (list . "schedule is missing; set it to a cron expression such as \"17 3 * * *\"") -}}
{{- end -}}
{{- $_ := set .contribution "order" 200 -}}
{{- if and $source $store -}}
  {{- $backup := dict "call" . "key" $source "source" (eq $source "mariadb" | ternary "mysql" $source) "store" $store "sidecar" $sidecar -}}
  {{- $_ := set $backup "settings" (include "outrigger-0.1.0.evaluated" (list . (get .config $source)) | fromYaml) -}}
  {{- $_ := set $backup "storeSettings" (include "outrigger-0.1.0.evaluated" (list . (get .config.store $store)) | fromYaml) -}}
  {{- $_ := set $backup "name" (include "outrigger-0.1.0.shorten" (printf "%s-%s" (include "outrigger-0.1.0.owner" .) .name)) -}}
  {{- $_ := set $backup "identity" (printf "%s/%s" (include "outrigger-0.1.0.whereabouts" .) $backup.name) -}}
  {{- if .podTemplate -}}
    {{- if $sidecar -}}{{- include "outrigger-0.1.0.backupSidecar" $backup -}}{{- end -}}
  {{- else -}}
    {{- $_ := set .contribution "files" (include "outrigger-0.1.0.backupFiles" $backup | fromJsonArray) -}}
    {{- include "outrigger-0.1.0.backupCronJobs" $backup -}}
    {{- if .config.maxAge -}}{{- include "outrigger-0.1.0.backupAlarm" $backup -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints, as JSON, the library's files that the containers of a backup find in /outrigger. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.backupFiles" -}}
{{- $files := list "backup.sh" "backup-tools.sh" (printf "backup-%s.sh" .source) (printf "backup-%s.sh" .store) "schedule.awk" -}}
{{- if eq .source "mysql" -}}{{- $files = append $files "backup-grants.awk" -}}{{- end -}}
{{- if eq .source "postgres" -}}{{- $files = append $files "backup-statements.awk" -}}{{- end -}}
{{- append $files (eq .store "files" | ternary "backup-keep.awk" "backup-repository.sh") | toJson -}}
{{- end -}}

{{- /*
Fills the contribution of a backup that runs beside the app. It never gates the start of its own database: it has no
startup probe. Its preStop cancels a dump, as it hears SIGTERM only when the database has ended, which may wait for the
dump's session. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.backupSidecar" -}}
{{- $contribution := .call.contribution -}}
{{- $script := list "/outrigger-tools/busybox" "sh" "/outrigger/backup.sh" -}}
{{- $parts := include "outrigger-0.1.0.backupParts" (list . "clock") | fromJson -}}
{{- $container := $parts.container -}}
{{- $_ := set $container "name" .call.name -}}
{{- $_ := set $container "lifecycle" (dict "preStop" (dict "exec" (dict "command" (append $script "cancel")))) -}}
{{- if hasKey .call.config "replica" -}}
  {{- $_ := set $container "env" (append $container.env (dict "name" "REPLICA" "value" (toString .call.config.replica))) -}}
{{- end -}}
{{- range $key := list "volumes" "initContainers" -}}{{- $_ := set $contribution $key (get $parts $key) -}}{{- end -}}
{{- $_ := set $contribution "files" (include "outrigger-0.1.0.backupFiles" . | fromJsonArray) -}}
{{- $_ := set $contribution "tools" true -}}
{{- $reads := list -}}
{{- range $key := list "files" "paths" -}}
  {{- range $index, $path := get $.settings $key | default list -}}
    {{- $reads = append $reads (dict "path" $path "key" (printf ".%s.%s[%d]" $.key $key $index) "writes" true) -}}
  {{- end -}}
{{- end -}}
{{- if and (eq .source "exec") .settings.mountPath -}}
  {{- $reads = append $reads (dict "path" .settings.mountPath "key" ".exec.mountPath" "writes" true) -}}
{{- end -}}
{{- $_ := set $contribution "reads" $reads -}}
{{- $_ := set $contribution "sidecars" (list $container) -}}
{{- end -}}

{{- /*
Adds to the contribution the CronJobs of a backup: of its own, of its drill, and the one from which restores are made.
Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.backupCronJobs" -}}
{{- $config := .call.config -}}
{{- $cronJobs := list -}}
{{- if not .sidecar -}}
  {{- $cronJobs = append $cronJobs (dict "name" .call.name "schedule" $config.schedule "timeZone" $config.timeZone "parts" (include "outrigger-0.1.0.backupParts" (list . "run") | fromJson)) -}}
{{- end -}}
{{- $cronJobs = append $cronJobs (dict "name" (printf "%s-restore" .call.name) "schedule" "@yearly" "suspend" true "backoffLimit" 0 "parts" (include "outrigger-0.1.0.backupParts" (list . "restore") | fromJson)) -}}
{{- if $config.drill -}}
  {{- if not $config.drill.schedule -}}
    {{- include "outrigger-0.1.0.addProblem" (list .call "drill.schedule is missing; set it to a cron expression such as \"17 5 * * 0\"") -}}
  {{- end -}}
  {{- $cronJobs = append $cronJobs (dict "name" (printf "%s-drill" .call.name) "schedule" $config.drill.schedule "timeZone" ($config.drill.timeZone | default $config.timeZone) "parts" (include "outrigger-0.1.0.drillParts" . | fromJson)) -}}
{{- end -}}
{{- if kindIs "map" $config.prune -}}
  {{- include "outrigger-0.1.0.backupPruneProblems" . -}}
  {{- $cronJobs = append $cronJobs (dict "name" (printf "%s-prune" .call.name) "schedule" $config.prune.schedule "timeZone" ($config.prune.timeZone | default $config.timeZone) "parts" (include "outrigger-0.1.0.backupParts" (list . "prune") | fromJson)) -}}
{{- end -}}
{{- $_ := set .call.contribution "cronJobs" $cronJobs -}}
{{- end -}}

{{- /*
Adds the problems of a backup's prune to the contribution. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.backupPruneProblems" -}}
{{- if not .call.config.prune.schedule -}}
  {{- include "outrigger-0.1.0.addProblem" (list .call "prune.schedule is missing; set it to a cron expression such as \"17 6 * * 0\"") -}}
{{- end -}}
{{- if eq .store "files" -}}
  {{- include "outrigger-0.1.0.addProblem" (list .call "prune means nothing beside store.files, where keep removes whole files; leave it out") -}}
{{- end -}}
{{- end -}}

{{- /*
Prints, as JSON, what a task of a backup consists of: container, initContainers, volumes. Takes a list: the backup, the
task (run, clock, restore, drill, prune).
*/ -}}
{{- define "outrigger-0.1.0.backupParts" -}}
{{- $backup := index . 0 -}}
{{- $task := index . 1 -}}
{{- $call := $backup.call -}}
{{- $tools := include "outrigger-0.1.0.shorten" (printf "outrigger-%s-tools" $call.name) -}}
{{- $work := include "outrigger-0.1.0.shorten" (printf "outrigger-%s-work" $call.name) -}}
{{- $env := include "outrigger-0.1.0.variables" (dict "BACKUP" $backup.identity "SOURCE" $backup.source "STORE" $backup.store) | fromJsonArray -}}
{{- if eq $task "clock" -}}
  {{- $env = concat $env (include "outrigger-0.1.0.variables" (dict
        "SCHEDULE" (toString $call.config.schedule) "POD_NAME" (dict "fieldRef" (dict "fieldPath" "metadata.name"))) | fromJsonArray) -}}
{{- else if eq $task "run" -}}
  {{- $env = append $env (dict "name" "OWN_HOST" "value" "yes") -}}
{{- else if eq $task "restore" -}}
  {{- range list "SNAPSHOT" "TIME" "FILE" "TARGET" "OVERWRITE" -}}{{- $env = append $env (dict "name" . "value" "") -}}{{- end -}}
{{- end -}}
{{- $env = concat $env (include "outrigger-0.1.0.backupReports" $backup | fromJsonArray) -}}
{{- if eq $task "prune" -}}
  {{- /* It asks no source. */ -}}
{{- else if eq $task "drill" -}}
  {{- $env = concat $env (include (printf "outrigger-0.1.0.drill.%s" $backup.source) $backup | fromJsonArray) -}}
{{- else -}}
  {{- $env = concat $env (include (printf "outrigger-0.1.0.source.%s" $backup.source) $backup | fromJsonArray) -}}
{{- end -}}
{{- $container := dict
      "name" "backup" "image" ($backup.settings.image | default (eq $backup.source "path" | ternary $call.values.images.busybox ""))
      "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/backup.sh" $task)
      "volumeMounts" (list
        (dict "name" $tools "mountPath" "/outrigger-backup" "readOnly" true)
        (dict "name" $work "mountPath" "/run/outrigger"))
      "resources" (deepCopy ($call.values.defaults.backupResources | default dict)) -}}
{{- $fetch := dict
      "name" (include "outrigger-0.1.0.shorten" (printf "%s-tools" $call.name))
      "volumeMounts" (list (dict "name" $tools "mountPath" "/outrigger-backup")) -}}
{{- with $call.config.timeZone -}}{{- $_ := set $fetch "env" (include "outrigger-0.1.0.variables" (dict "ZONE" .) | fromJsonArray) -}}{{- end -}}
{{- $parts := dict
      "container" $container "initContainers" (list $fetch)
      "volumes" (list
        (dict "name" $tools "emptyDir" (dict "sizeLimit" "256Mi"))
        (dict "name" $work "emptyDir" (dict "sizeLimit" ($call.config.workSize | default "2Gi")))) -}}
{{- $_ := set $container "env" $env -}}
{{- include (printf "outrigger-0.1.0.store.%s" $backup.store) (list $backup $parts $fetch $task) -}}
{{- with $backup.settings.volume -}}
  {{- if has $task (list "run" "restore") -}}
    {{- $_ := set $container "volumeMounts" (append $container.volumeMounts (dict "name" "outrigger-source" "mountPath" ($backup.settings.mountPath | default "/data"))) -}}
    {{- $_ := set $parts "volumes" (append $parts.volumes (set (deepCopy .) "name" "outrigger-source")) -}}
  {{- end -}}
{{- end -}}
{{- if not $container.image -}}
  {{- include "outrigger-0.1.0.addProblem" (list $call (printf "%s.image is missing; set it to %s" $backup.key (get (dict "exec" "the image that the command is in" "sqlite" "one that has sqlite3" ) $backup.source | default "the server's image, whose tools are of the server's version"))) -}}
{{- end -}}
{{- toJson $parts -}}
{{- end -}}

{{- /*
Gives the parts of a task what every kind of store may need: the credentials of its service, as variables or
files, and a volume where it is a path.
Takes a list: the store's settings, the parts, the path.
*/ -}}
{{- define "outrigger-0.1.0.storeAccess" -}}
{{- $settings := index . 0 -}}
{{- $parts := index . 1 -}}
{{- $path := index . 2 -}}
{{- with $settings.credentials -}}{{- $_ := set $parts.container "envFrom" (list (dict "secretRef" (dict "name" .))) -}}{{- end -}}
{{- with $settings.credentialFiles -}}
  {{- $_ := set $parts.container "volumeMounts" (append $parts.container.volumeMounts (dict "name" "outrigger-credentials" "mountPath" "/outrigger-credentials" "readOnly" true)) -}}
  {{- $_ := set $parts "volumes" (append $parts.volumes (dict "name" "outrigger-credentials" "secret" (dict "secretName" .))) -}}
{{- end -}}
{{- with $settings.volume -}}
  {{- $_ := set $parts.container "volumeMounts" (append $parts.container.volumeMounts (dict "name" "outrigger-repository" "mountPath" $path)) -}}
  {{- $_ := set $parts "volumes" (append $parts.volumes (set (deepCopy .) "name" "outrigger-repository")) -}}
{{- end -}}
{{- end -}}

{{- /*
Prints, as JSON, the environment that says what is kept and who is told. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.backupReports" -}}
{{- $config := .call.config -}}
{{- $keep := list -}}
{{- with $config.keep -}}
  {{- $keep = list "--keep-last" (max (.last | default 0 | int) (.minimum | default 1 | int) | toString) -}}
  {{- range $period := list "hourly" "daily" "weekly" "monthly" "yearly" -}}
    {{- with get $config.keep $period -}}{{- $keep = concat $keep (list (printf "--keep-%s" $period) (int . | toString)) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- include "outrigger-0.1.0.variables" (dict
      "KEEP" (join " " $keep) "PRUNE_APART" (kindIs "map" $config.prune | ternary "yes" "")
      "BEFORE" $config.before "AFTER" $config.after
      "ON_SUCCESS" (dig "onSuccess" "url" "" $config) "ON_FAILURE" (dig "onFailure" "url" "" $config)
      "PUSHGATEWAY" (dig "metrics" "pushgateway" "" $config) "TEXTFILE" (dig "metrics" "textfile" "" $config)) -}}
{{- end -}}
