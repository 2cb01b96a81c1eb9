{{- /*
A command that the values say, in an image of theirs, which the program is brought to.
Takes: refresher; settings, of the preset
Sets: what the Refresher says
Reports: what the settings lack
*/ -}}
{{- define "outrigger-0.2.0.patterns.tokenRefreshers.presets.exec" -}}
{{- $refresher := .refresher -}}
{{- $settings := .settings -}}
{{- $output := $settings.output | default "raw" -}}
{{- range $problem := list
      (list (not $settings.image) "exec.image is missing; set it to the image that the command is in")
      (list (not $settings.command) "exec.command is missing; set it to the command, as a list, that prints the credential")
      (list (and $settings.command (eq $output "raw") (not $refresher.config.ttl)) "ttl is missing: a credential that is printed alone does not say how long it lives; set ttl (15m), or exec.output: json")
      (list (and $settings.pointers (ne $output "json")) "exec.pointers means nothing beside output: raw; set exec.output: json")
    -}}
  {{- if first $problem -}}{{- include "outrigger-0.2.0.kit.addProblem" (dict "call" $refresher.call "message" (last $problem)) -}}{{- end -}}
{{- end -}}
{{- $provider := dict "command" $settings.command "output" $output "timeoutSeconds" (include "outrigger-0.2.0.kit.secondsOrNone" $settings.timeout | int64 | default nil) "pointers" $settings.pointers -}}
{{- with $settings.explain -}}{{- $_ := set $provider "explain" (kindIs "string" . | ternary (list "sh" "-c" .) .) -}}{{- end -}}
{{- $_ := set $refresher "provider" $provider -}}
{{- $_ := set $refresher "image" $settings.image -}}
{{- $_ := set $refresher "namesUser" (or (not $settings.command) (dig "pointers" "username" "" $settings)) -}}
{{- include "outrigger-0.2.0.kit.overlay" (dict "into" $refresher "from" (pick $settings "host" "port" "user")) -}}
{{- end -}}
