{{- /*
Prints the databases that are backed up, one a line; nothing for all of the server. Takes the source's settings.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.databases" -}}
{{- concat (.databases | default list) (empty .database | ternary list (list .database)) | uniq | join "\n" -}}
{{- end -}}

{{- /*
Adds a problem for each option of a dump's program that changes what a dump is, or where it goes. Takes a list: the
backup, a pattern of such options.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.dumpOptions" -}}
{{- $backup := index . 0 -}}
{{- range $option := $backup.settings.options -}}
  {{- if regexMatch (index $ 1) $option -}}
    {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $backup.call
          "message" (printf "%s.options: %q changes what the dump is, or where it goes, and no restore would find it; leave it out" $backup.key $option)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints the host of a source: a sidecar's is its own pod where none is said. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.host" -}}
{{- if not (or .settings.host .sidecar) -}}
  {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" .call
        "message" (printf "%s.host is missing; set it to the name of the server's Service" .key)) -}}
{{- end -}}
{{- .settings.host | default "127.0.0.1" -}}
{{- end -}}

{{- /*
Adds a problem where a CronJob has no volume with the paths that it backs up. Takes a list: the backup, the paths.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.sourceVolume" -}}
{{- $backup := index . 0 -}}
{{- $volume := $backup.settings.volume -}}
{{- $mountPath := $backup.settings.mountPath | default "/data" -}}
{{- if not (or $volume $backup.sidecar) -}}
  {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $backup.call
        "message" (printf "%s.volume is missing; set it to the volume that the paths lie in (persistentVolumeClaim: {claimName: …}, mounted at mountPath), or set as: sidecar" $backup.key)) -}}
{{- else if $volume -}}
  {{- range index . 1 -}}
    {{- if not (include "outrigger-0.1.0.kit.holds" (dict "mountPath" $mountPath "path" .)) -}}
      {{- include "outrigger-0.1.0.kit.addProblem" (dict "call" $backup.call
            "message" (printf "%s: %q does not lie in %s.volume, which is mounted at %s; set %s.mountPath" $backup.key . $backup.key $mountPath $backup.key)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Prints a drill's questions, one a line. Takes the backup.
*/ -}}
{{- define "outrigger-0.1.0.patterns.backups.drillChecks" -}}
{{- (.call.config.drill | default dict).check | default list | join "\n" -}}
{{- end -}}
