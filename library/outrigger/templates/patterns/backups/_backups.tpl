{{- /*
backups.<name>: backs up a database or files on a schedule, as a CronJob or as a sidecar of the app's pod, into a
store. Each also gives a suspended CronJob <name>-restore, with `drill` a CronJob <name>-drill that restores the
newest snapshot into a server of its own, and with `prune` a CronJob <name>-prune.

A Backup:
  call           the Call
  key            the key of its source in the entry     source         the source: mysql for mariadb too
  kind           the row of its source (kinds)
  settings       the source's                           store          its kind of store
  storeSettings  the store's                            sidecar        whether it runs beside the app
  name           release, chart and entry               identity       what tells it from all others: that with the
                                                                       cluster and the namespace
The parts of a task of it are a dict: container, initContainers, volumes, and of a drill sidecars and fsGroup.
Takes: the Call
Sets: its contribution
Reports: what the entry lacks, or has that means nothing
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.contribution" -}}
{{- $sidecar := eq (.config.as | default "cronJob") "sidecar" -}}
{{- $kinds := include "outrigger-0.2.0.patterns.backups.kinds" . | fromYaml -}}
{{- $source := include "outrigger-0.2.0.kit.choice" (dict "call" . "what" "source" "config" .config "keys" (keys $kinds | sortAlpha)) -}}
{{- $store := include "outrigger-0.2.0.kit.choice" (dict "call" . "what" "store" "config" (.config.store | default dict) "keys" (list "restic" "files")) -}}
{{- include "outrigger-0.2.0.patterns.backups.scheduleProblem" (dict "call" . "key" "schedule" "schedule" .config.schedule) -}}
{{- $_ := set .contribution "order" 200 -}}
{{- if and $source $store -}}
  {{- $kind := get $kinds $source -}}
  {{- $backup := dict "call" . "key" $source "kind" $kind "source" ($kind.source | default $source) "store" $store "sidecar" $sidecar -}}
  {{- $_ := set $backup "settings" (get .config $source | toYaml | fromYaml) -}}
  {{- $_ := set $backup "storeSettings" (get .config.store $store | toYaml | fromYaml) -}}
  {{- range $path, $volume := dict $source $backup.settings.volume (printf "store.%s" $store) $backup.storeSettings.volume -}}
    {{- with include "outrigger-0.2.0.kit.sourcesProblem" ($volume | default dict) -}}
      {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $ "message" (printf "%s.volume %s" $path .)) -}}
    {{- end -}}
  {{- end -}}
  {{- include "outrigger-0.2.0.patterns.backups.imageKeys" $backup -}}
  {{- $_ := set $backup "name" (include "outrigger-0.2.0.kit.shorten" (printf "%s-%s" (include "outrigger-0.2.0.kit.owner" .) .name)) -}}
  {{- $_ := set $backup "identity" (printf "%s/%s" (include "outrigger-0.2.0.kit.whereabouts" .) $backup.name) -}}
  {{- if eq .view "pod" -}}
    {{- if $sidecar -}}{{- include "outrigger-0.2.0.patterns.backups.sidecar" $backup -}}{{- end -}}
  {{- else -}}
    {{- $_ := set .contribution "files" (include "outrigger-0.2.0.patterns.backups.files" $backup | fromJsonArray) -}}
    {{- include "outrigger-0.2.0.patterns.backups.cronJobs" $backup -}}
    {{- if .config.maxAge -}}{{- include "outrigger-0.2.0.patterns.backups.alarm" $backup -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Which keys of the entry say the images of its containers.
Takes: the Backup
Sets: .imageKeys of the contribution
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.imageKeys" -}}
{{- $keys := dict -}}
{{- if or .settings.image (ne .source "path") -}}
  {{- range list .call.name "backup" "database" -}}{{- $_ := set $keys . (printf "%s.image" $.key) -}}{{- end -}}
{{- end -}}
{{- if .storeSettings.image -}}
  {{- $_ := set $keys (include "outrigger-0.2.0.kit.shorten" (printf "%s-tools" .call.name)) (printf "store.%s.image" .store) -}}
{{- end -}}
{{- $_ := set .call.contribution "imageKeys" $keys -}}
{{- end -}}

{{- /*
A backup that runs beside the app. It never gates the start of its own database: it has no startup probe. Its preStop
cancels a dump, as it hears SIGTERM only when the database has ended, which may wait for the dump's session.
Takes: the Backup
Sets: the contribution
Reports: what patterns.backups.parts reports
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sidecar" -}}
{{- $contribution := .call.contribution -}}
{{- $script := list "/outrigger-tools/busybox" "sh" "/outrigger/backup.sh" -}}
{{- $parts := include "outrigger-0.2.0.patterns.backups.parts" (dict "backup" . "task" "clock") | fromJson -}}
{{- $container := $parts.container -}}
{{- $_ := set $container "name" .call.name -}}
{{- $_ := set $container "lifecycle" (dict "preStop" (dict "exec" (dict "command" (append $script "cancel")))) -}}
{{- if hasKey .call.config "replica" -}}
  {{- $_ := set $container "env" (append $container.env (dict "name" "REPLICA" "value" (toString .call.config.replica))) -}}
{{- end -}}
{{- range $key := list "volumes" "initContainers" -}}{{- $_ := set $contribution $key (get $parts $key) -}}{{- end -}}
{{- $_ := set $contribution "files" (include "outrigger-0.2.0.patterns.backups.files" . | fromJsonArray) -}}
{{- $_ := set $contribution "tools" true -}}
{{- $reads := list -}}
{{- range $key := .kind.reads -}}
  {{- $paths := get $.settings $key | default list -}}
  {{- if kindIs "string" $paths -}}
    {{- $reads = append $reads (dict "path" $paths "key" (printf "%s.%s" $.key $key) "writes" true) -}}
  {{- else -}}
    {{- range $index, $path := $paths -}}
      {{- $reads = append $reads (dict "path" $path "key" (printf "%s.%s[%d]" $.key $key $index) "writes" true) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $_ := set $contribution "reads" $reads -}}
{{- $_ := set $contribution "sidecars" (list $container) -}}
{{- end -}}

{{- /*
The CronJobs of a backup: of its own, of its drill, of its prune, and the one from which restores are made.
Takes: the Backup
Sets: cronJobs of the contribution
Reports: schedules that are none, and what patterns.backups.parts reports
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.cronJobs" -}}
{{- $config := .call.config -}}
{{- $cronJobs := list -}}
{{- if not .sidecar -}}
  {{- $cronJobs = append $cronJobs (dict "name" .call.name "schedule" $config.schedule "timeZone" $config.timeZone
        "parts" (include "outrigger-0.2.0.patterns.backups.parts" (dict "backup" . "task" "run") | fromJson)) -}}
{{- end -}}
{{- $cronJobs = append $cronJobs (dict "name" (printf "%s-restore" .call.name) "schedule" "@yearly" "suspend" true "backoffLimit" 0
      "byHand" (include "outrigger-0.2.0.patterns.backups.restoreByHand" . | fromJson)
      "parts" (include "outrigger-0.2.0.patterns.backups.parts" (dict "backup" . "task" "restore") | fromJson)) -}}
{{- if $config.drill -}}
  {{- include "outrigger-0.2.0.patterns.backups.scheduleProblem" (dict "call" .call "key" "drill.schedule" "schedule" $config.drill.schedule) -}}
  {{- $cronJobs = append $cronJobs (dict "name" (printf "%s-drill" .call.name) "schedule" $config.drill.schedule "timeZone" ($config.drill.timeZone | default $config.timeZone)
        "parts" (include "outrigger-0.2.0.patterns.backups.drillParts" . | fromJson)) -}}
{{- end -}}
{{- if kindIs "map" $config.prune -}}
  {{- include "outrigger-0.2.0.patterns.backups.pruneProblems" . -}}
  {{- $cronJobs = append $cronJobs (dict "name" (printf "%s-prune" .call.name) "schedule" $config.prune.schedule "timeZone" ($config.prune.timeZone | default $config.timeZone)
        "parts" (include "outrigger-0.2.0.patterns.backups.parts" (dict "backup" . "task" "prune") | fromJson)) -}}
{{- end -}}
{{- $_ := set .call.contribution "cronJobs" $cronJobs -}}
{{- end -}}

{{- /*
How a person restores: by a Job, or in the app's pod where only that reaches what is restored.
Takes: the Backup
Prints: a dict as JSON, which objects.ownCronJob describes as byHand
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.restoreByHand" -}}
{{- $restore := dict "title" "A restore of the newest snapshot (OVERWRITE=yes: in the place of what is there)"
      "job" "restore-1" "variables" (list "TARGET" "SNAPSHOT" "TIME" "FILE" "OVERWRITE") -}}
{{- if and .sidecar (not (or .settings.host .settings.volume)) -}}
  {{- $_ := set $restore "container" .call.name -}}
  {{- $_ := set $restore "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/backup.sh" "restore") -}}
{{- end -}}
{{- toJson $restore -}}
{{- end -}}

{{- /*
What is wrong with a backup's prune.
Takes: the Backup
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.pruneProblems" -}}
{{- include "outrigger-0.2.0.patterns.backups.scheduleProblem" (dict "call" .call "key" "prune.schedule" "schedule" .call.config.prune.schedule) -}}
{{- if eq .store "files" -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" "prune means nothing beside store.files, where keep removes whole files; leave it out") -}}
{{- end -}}
{{- end -}}

{{- /*
A schedule that is missing or wrong.
Takes: call; key, where the entry has it; schedule
Reports: the problem
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.scheduleProblem" -}}
{{- with include "outrigger-0.2.0.kit.scheduleProblem" .schedule -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $.call "message" (printf "%s %s" $.key .)) -}}
{{- end -}}
{{- end -}}
