{{- /*
The sources, a row each, by their keys in an entry:
  source  whose script and templates it takes, where these are not its own
  server  true for a server, of which a drill has one of its own
  files   of the library's, besides backup-<source>.sh
  reads   keys whose paths lie in volumes of the app's, which a sidecar mounts
  image   what to say where it has none; "busybox" is the library's own
Takes: nothing
Prints: the rows, as YAML
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.kinds" -}}
exec: {reads: [mountPath], image: the image that the command is in}
mariadb: {source: mysql, server: true, files: [backup-grants.awk]}
mysql: {server: true, files: [backup-grants.awk]}
path: {reads: [paths], image: busybox}
postgres: {server: true, files: [backup-statements.awk]}
redis: {server: true}
sqlite: {reads: [files], image: one that has sqlite3}
{{- end -}}

{{- /*
The databases that are backed up; none for all of the server.
Takes: the source's settings
Prints: their names, one a line
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.databases" -}}
{{- concat (.databases | default list) (empty .database | ternary list (list .database)) | uniq | join "\n" -}}
{{- end -}}

{{- /*
Options of a dump's program that change what a dump is, or where it goes.
Takes: backup; forbidden, a regular expression of such options
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.dumpOptions" -}}
{{- $backup := .backup -}}
{{- range $option := $backup.settings.options -}}
  {{- if regexMatch $.forbidden $option -}}
    {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $backup.call
          "message" (printf "%s.options: %q changes what the dump is, or where it goes, and no restore would find it; leave it out" $backup.key $option)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The host of a source: a sidecar's is its own pod where none is said.
Takes: the Backup
Prints: the host
Reports: that it is missing
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.host" -}}
{{- if not (or .settings.host .sidecar) -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" .call
        "message" (printf "%s.host is missing; set it to the name of the server's Service" .key)) -}}
{{- end -}}
{{- .settings.host | default "127.0.0.1" -}}
{{- end -}}

{{- /*
A CronJob that has no volume with the paths that it backs up.
Takes: backup; paths
Reports: the problems
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.sourceVolume" -}}
{{- $backup := .backup -}}
{{- $volume := $backup.settings.volume -}}
{{- $mountPath := $backup.settings.mountPath | default "/data" -}}
{{- if not (or $volume $backup.sidecar) -}}
  {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $backup.call
        "message" (printf "%s.volume is missing; set it to the volume that the paths lie in (persistentVolumeClaim: {claimName: …}, mounted at mountPath), or set as: sidecar" $backup.key)) -}}
{{- else if $volume -}}
  {{- range .paths -}}
    {{- if not (include "outrigger-0.2.0.kit.holds" (dict "mountPath" $mountPath "path" .)) -}}
      {{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $backup.call
            "message" (printf "%s: %q does not lie in %s.volume, which is mounted at %s; set %s.mountPath" $backup.key . $backup.key $mountPath $backup.key)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- /*
A drill's questions.
Takes: the Backup
Prints: them, one a line
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.drillChecks" -}}
{{- (.call.config.drill | default dict).check | default list | join "\n" -}}
{{- end -}}
