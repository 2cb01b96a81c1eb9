{{- /*
Prints the variables of a list, as JSON: name to value, where a dict of the value's is taken as it is. Empty ones are left
out. Takes the dict of names and values.
*/ -}}
{{- define "outrigger-0.1.0.variables" -}}
{{- $env := list -}}
{{- range $name, $value := . -}}
  {{- if kindIs "map" $value -}}
    {{- $env = append $env (dict "name" $name "valueFrom" $value) -}}
  {{- else if $value -}}
    {{- $env = append $env (dict "name" $name "value" (toString $value | replace "$(" "$$(")) -}}
  {{- end -}}
{{- end -}}
{{- toJson $env -}}
{{- end -}}

{{- /*
Prints the databases that are backed up, one a line; nothing for all of the server. Takes the source's settings.
*/ -}}
{{- define "outrigger-0.1.0.backupDatabases" -}}
{{- concat (.databases | default list) (empty .database | ternary list (list .database)) | uniq | join "\n" -}}
{{- end -}}

{{- /*
Prints the host of a source: a sidecar's is its own pod where none is said. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.backupHost" -}}
{{- if not (or .settings.host .sidecar) -}}
  {{- include "outrigger-0.1.0.backupProblem" (list .call (printf "%s.host is missing; set it to the name of the server's Service" .key)) -}}
{{- end -}}
{{- .settings.host | default "127.0.0.1" -}}
{{- end -}}

{{- /*
Adds a problem where a CronJob has no volume with the paths that it backs up. Takes a list: the backup, the paths.
*/ -}}
{{- define "outrigger-0.1.0.sourceVolume" -}}
{{- $backup := index . 0 -}}
{{- $volume := $backup.settings.volume -}}
{{- $mountPath := $backup.settings.mountPath | default "/data" -}}
{{- if not (or $volume $backup.sidecar) -}}
  {{- include "outrigger-0.1.0.backupProblem" (list $backup.call (printf "%s.volume is missing; set it to the volume that the paths lie in (persistentVolumeClaim: {claimName: …}, mounted at mountPath), or set as: sidecar" $backup.key)) -}}
{{- else if $volume -}}
  {{- range index . 1 -}}
    {{- if not (include "outrigger-0.1.0.holds" (list $mountPath .)) -}}
      {{- include "outrigger-0.1.0.backupProblem" (list $backup.call (printf "%s: %q does not lie in %s.volume, which is mounted at %s; set %s.mountPath" $backup.key . $backup.key $mountPath $backup.key)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints a reference to a key of a Secret, as the fields of a variable. Takes a list: the Secret's name, or a dict of name
and key; the key that is meant where none is said.
*/ -}}
{{- define "outrigger-0.1.0.secretKey" -}}
{{- $secret := index . 0 -}}
{{- if kindIs "string" $secret -}}{{- $secret = dict "name" $secret -}}{{- end -}}
{{- dict "secretKeyRef" (dict "name" $secret.name "key" ($secret.key | default (index . 1))) | toJson -}}
{{- end -}}
