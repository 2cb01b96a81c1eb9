{{- /*
Gives the parts of a task what rclone needs: the folder, credentials of its service, the program.
Takes: backup; parts; fetch, the init container that fetches the program; task
Sets: the parts, and fetch
Reports: what the store lacks
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.stores.files" -}}
{{- $backup := .backup -}}
{{- $parts := .parts -}}
{{- $fetch := .fetch -}}
{{- $settings := $backup.storeSettings -}}
{{- $container := $parts.container -}}
{{- $_ := set $fetch "image" ($settings.image | default $backup.call.values.images.rclone) -}}
{{- $_ := set $fetch "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/backup-tools.sh" "/usr/local/bin/rclone" "/outrigger-backup") -}}
{{- if not $settings.remote -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $backup.call
        "message" "store.files.remote is missing; set it to a folder as rclone names it: \":s3,provider=AWS,env_auth=true:bucket/folder\", or a path") -}}
{{- end -}}
{{- $_ := set $container "env" (concat $container.env (include "outrigger-0.2.0.kit.variables" (dict "REMOTE" $settings.remote) | fromJsonArray)) -}}
{{- include "outrigger-0.2.0.patterns.backups.storeAccess" (dict "settings" $settings "parts" $parts "mountPath" $settings.remote) -}}
{{- end -}}
