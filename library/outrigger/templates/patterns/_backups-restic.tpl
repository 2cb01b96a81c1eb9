{{- /*
Completes the parts of a task with what restic needs: the repository, its password, credentials of its service, the
program. Takes a list: the backup, the parts, the init container that fetches the program.
*/ -}}
{{- define "outrigger-0.1.0.store.restic" -}}
{{- $backup := index . 0 -}}
{{- $parts := index . 1 -}}
{{- $fetch := index . 2 -}}
{{- $settings := $backup.storeSettings -}}
{{- $container := $parts.container -}}
{{- $_ := set $fetch "image" ($settings.image | default $backup.call.values.images.restic) -}}
{{- $_ := set $fetch "command" (list "/outrigger-tools/busybox" "sh" "/outrigger/backup-tools.sh" "/usr/bin/restic" "/outrigger-backup") -}}
{{- if not $settings.repository -}}
  {{- include "outrigger-0.1.0.addProblem" (list $backup.call "store.restic.repository is missing; set it as restic names it (s3:https://…, /path), or to {name: SECRET, key: KEY}") -}}
{{- end -}}
{{- $env := dict "RESTIC_REPOSITORY" $settings.repository "TAGS" ($settings.tags | default list | join ",") -}}
{{- if kindIs "map" $settings.repository -}}
  {{- $_ := set $env "RESTIC_REPOSITORY" (include "outrigger-0.1.0.secretKey" (list $settings.repository "repository") | fromJson) -}}
{{- end -}}
{{- if not $settings.secret -}}
  {{- include "outrigger-0.1.0.addProblem" (list $backup.call "store.restic.secret is missing; set it to the name of a Secret that has the repository's password under the key password") -}}
{{- else -}}
  {{- $_ := set $env "RESTIC_PASSWORD" (include "outrigger-0.1.0.secretKey" (list $settings.secret "password") | fromJson) -}}
{{- end -}}
{{- $turn := 0 -}}
{{- $before := true -}}
{{- range $name, $entry := $backup.call.values.backups -}}
  {{- if eq $name $backup.call.name -}}{{- $before = false -}}{{- end -}}
  {{- if and $before $entry (eq (dig "store" "restic" "repository" "" $entry | toString) (toString $backup.call.config.store.restic.repository)) -}}{{- $turn = add1 $turn -}}{{- end -}}
{{- end -}}
{{- $_ := set $env "TURN" $turn -}}
{{- $options := list -}}
{{- range $name, $value := $settings.options -}}{{- $options = append $options (printf "--option=%s=%v" $name $value) -}}{{- end -}}
{{- /* YAML reads off as false. */ -}}
{{- $compression := eq (toString $settings.compression) "false" | ternary "off" ($settings.compression | default "fastest") -}}
{{- $options = append $options (printf "--compression=%s" $compression) -}}
{{- with $settings.limitUpload -}}{{- $options = append $options (printf "--limit-upload=%d" (int .)) -}}{{- end -}}
{{- with $settings.limitDownload -}}{{- $options = append $options (printf "--limit-download=%d" (int .)) -}}{{- end -}}
{{- $_ := set $env "RESTIC_OPTIONS" (join "\n" $options) -}}
{{- $_ := set $container "env" (concat $container.env (include "outrigger-0.1.0.variables" $env | fromJsonArray)) -}}
{{- include "outrigger-0.1.0.storeAccess" (list $settings $parts $settings.repository) -}}
{{- end -}}
