{{- /*
The parts of a drill's pod: those of its task, and where the source has one its server as a sidecar.
Takes: the Backup
Prints: its parts, as JSON
Reports: what patterns.backups.parts reports
*/ -}}
{{- define "outrigger-0.2.0.patterns.backups.drillParts" -}}
{{- $parts := include "outrigger-0.2.0.patterns.backups.parts" (dict "backup" . "task" "drill") | fromJson -}}
{{- if .kind.server -}}
  {{- $server := include (printf "outrigger-0.2.0.patterns.backups.sources.%sDrillServer" .source) . | fromYaml -}}
  {{- $chosen := (.settings.securityContext | default dict).runAsUser -}}
  {{- $user := kindIs "invalid" $chosen | ternary 999 $chosen | int64 -}}
  {{- $inherits := and (kindIs "invalid" $chosen) (empty (include "outrigger-0.2.0.kit.userOfItsOwn" .call | fromJson)) -}}
  {{- $container := $server.container -}}
  {{- $_ := set $container "name" "database" -}}
  {{- $_ := set $container "image" (.settings.image | default "") -}}
  {{- $_ := set $container "resources" (deepCopy (.call.values.defaults.backupResources | default dict)) -}}
  {{- with .call.config.drill.memory -}}{{- $_ := set $container.resources "limits" (set ($container.resources.limits | default dict) "memory" .) -}}{{- end -}}
  {{- if not $inherits -}}{{- $_ := set $container "securityContext" (dict "runAsUser" $user "runAsGroup" $user) -}}{{- end -}}
  {{- $mounts := list -}}
  {{- $size := .call.config.drill.size | default "8Gi" -}}
  {{- range $name, $path := $server.folders -}}
    {{- $mounts = append $mounts (dict "name" $name "mountPath" $path) -}}
    {{- $emptyDir := dict "sizeLimit" (eq $name "data" | ternary $size "64Mi") -}}
    {{- include "outrigger-0.2.0.kit.dropNone" (dict "fields" $emptyDir) -}}
    {{- $_ := set $parts "volumes" (append $parts.volumes (dict "name" $name "emptyDir" $emptyDir)) -}}
  {{- end -}}
  {{- $_ := set $container "volumeMounts" $mounts -}}
  {{- $_ := set $parts "sidecars" (list $container) -}}
  {{- if not $inherits -}}{{- $_ := set $parts "fsGroup" $user -}}{{- end -}}
{{- end -}}
{{- toJson $parts -}}
{{- end -}}
