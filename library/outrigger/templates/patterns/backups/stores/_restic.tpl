{{- /*
Gives the parts of a task what restic needs: the repository, its password, credentials of its service, the program.
Takes: backup; parts; fetch, the init container that fetches the program; task
Sets: the parts, and fetch
Reports: what the store lacks
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.stores.restic" -}}
{{- $backup := .backup -}}
{{- $parts := .parts -}}
{{- $fetch := .fetch -}}
{{- $task := .task -}}
{{- $settings := $backup.storeSettings -}}
{{- $container := $parts.container -}}
{{- $_ := set $fetch "image" ($settings.image | default $backup.call.values.images.restic) -}}
{{- $_ := set $fetch "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/backup-tools.sh" "/usr/bin/restic" "/outrigger-backup") -}}
{{- if not $settings.repository -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $backup.call
        "message" "store.restic.repository is missing; set it as restic names it (s3:https://…, /path), or to {name: SECRET, key: KEY}") -}}
{{- end -}}
{{- $whereabouts := list (printf "namespace=%s" $backup.call.context.Release.Namespace) -}}
{{- with $backup.call.values.cluster -}}{{- $whereabouts = prepend $whereabouts (printf "cluster=%s" .) -}}{{- end -}}
{{- $env := dict "RESTIC_REPOSITORY" $settings.repository "TAGS" (concat $whereabouts ($settings.tags | default list) | join ",") -}}
{{- if kindIs "map" $settings.repository -}}
  {{- $_ := set $env "RESTIC_REPOSITORY" (include "outrigger-0.2.0.kit.secretKey" (dict "secret" $settings.repository "key" "repository") | fromJson) -}}
{{- end -}}
{{- if not $settings.secret -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $backup.call
        "message" "store.restic.secret is missing; set it to the name of a Secret that has the repository's password under the key password") -}}
{{- else -}}
  {{- $_ := set $env "RESTIC_PASSWORD" (include "outrigger-0.2.0.kit.secretKey" (dict "secret" $settings.secret "key" "password") | fromJson) -}}
{{- end -}}
{{- include "outrigger-0.2.0.patterns.backups.stores.repositoryMaker" (dict "backup" $backup "parts" $parts "env" $env "task" $task) -}}
{{- $options := list -}}
{{- range $name, $value := $settings.options -}}{{- $options = append $options (printf "--option=%s=%v" $name $value) -}}{{- end -}}
{{- /* YAML reads off as false. */ -}}
{{- $compression := eq (toString $settings.compression) "false" | ternary "off" ($settings.compression | default "fastest") -}}
{{- $options = append $options (printf "--compression=%s" $compression) -}}
{{- with $settings.limitUpload -}}{{- $options = append $options (printf "--limit-upload=%d" (int .)) -}}{{- end -}}
{{- with $settings.limitDownload -}}{{- $options = append $options (printf "--limit-download=%d" (int .)) -}}{{- end -}}
{{- $_ := set $env "RESTIC_OPTIONS" (join "\n" $options) -}}
{{- $_ := set $container "env" (concat $container.env (include "outrigger-0.2.0.kit.variables" $env | fromJsonArray)) -}}
{{- include "outrigger-0.2.0.patterns.backups.storeAccess" (dict "settings" $settings "parts" $parts "mountPath" $settings.repository) -}}
{{- end -}}

{{- /*
Says who makes the repository where there is none, and gives a backup rclone where it is whoever comes first, as S3
tells by a condition that restic does not set.
Takes: backup; parts; env, of the task; task
Sets: env, and the initContainers of the parts
Reports: more than one maker
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.stores.repositoryMaker" -}}
{{- $backup := .backup -}}
{{- $parts := .parts -}}
{{- $env := .env -}}
{{- $repository := $backup.call.config.store.restic.repository -}}
{{- $makers := list -}}
{{- range $name, $_ := $backup.call.values.backups -}}
  {{- $entry := dict "call" $backup.call "pattern" "backups" "name" $name -}}
  {{- include "outrigger-0.2.0.kit.entry" $entry -}}
  {{- $store := dig "store" "restic" dict $entry.config -}}
  {{- if and (dig "enabled" true $entry.config) $store.init (eq (toString $store.repository) (toString $repository)) -}}
    {{- $makers = append $makers $name -}}
  {{- end -}}
{{- end -}}
{{- if gt (len $makers) 1 -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $backup.call
        "message" (printf "store.restic.init is true in %s, and two that make a repository at once spoil it; leave it in one of them" (include "outrigger-0.2.0.kit.quoteAll" $makers))) -}}
{{- end -}}
{{- if hasKey $backup.storeSettings "init" -}}
  {{- $_ := set $env "INIT" (ternary "yes" "no" $backup.storeSettings.init) -}}
{{- else if $makers -}}
  {{- $_ := set $env "MAKER" (printf "backups.%s" (first $makers)) -}}
{{- else if and (has .task (list "run" "clock")) (or (kindIs "map" $repository) (hasPrefix "s3:" (toString $backup.storeSettings.repository))) -}}
  {{- $_ := set $parts "initContainers" (prepend $parts.initContainers (dict
        "name" (include "outrigger-0.2.0.kit.shorten" (printf "%s-rclone" $backup.call.name))
        "image" $backup.call.values.images.rclone
        "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/backup-tools.sh" "/usr/local/bin/rclone" "/outrigger-backup")
        "volumeMounts" (first $parts.initContainers).volumeMounts)) -}}
{{- end -}}
{{- end -}}
